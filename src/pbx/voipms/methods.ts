/**
 * Every method of the VoIP.ms API as its WSDL names them (https://voip.ms/api/v1/server.wsdl), with the parameters of each.
 * The WSDL says of no parameter that it is required; those with a star are so by the vendor's API page, as far as it is known.
 */
import { aboutParameter } from './method-parameters.ts';

export interface VoipMsParameter {
  readonly name: string;
  readonly required: boolean;
  readonly about: string;
}

export interface VoipMsMethod {
  readonly name: string;
  readonly group: string;
  /** One line. */
  readonly about: string;
  readonly params: readonly VoipMsParameter[];
  /** It changes something, costs money, or has an effect outside. */
  readonly changes: boolean;
}

/** Name, what it does, parameters; those that are required with a star. */
type Row = readonly [name: string, about: string, params?: string];

interface Group {
  readonly reads: readonly Row[];
  readonly changes: readonly Row[];
}

const FAILOVERS = 'failover_busy failover_unreachable failover_noanswer';
const NEW_DID = `routing* ${FAILOVERS} voicemail pop* dialtime* cnam* callerid_prefix note billing_type*`;
const RESELLER_DID = 'account monthly setup minute test';
const SUB_ACCOUNT =
  'canada_routing lock_international* international_route* music_on_hold* language allowed_codecs* dtmf_mode* nat* sip_traffic max_expiry rtp_timeout rtp_hold_timeout ip_restriction enable_ip_restriction pop_restriction enable_pop_restriction internal_extension internal_voicemail internal_dialtime reseller_client reseller_package reseller_nextbilling reseller_chargesetup send_bye record_calls transcribe transcription_locale transcription_email transcription_start_delay';
const VOICEMAIL =
  'name* password* skip_password* email attach_message* delete_message* say_time* timezone* say_callerid* play_instructions* language* email_attachment_format unavailable_message_recording transcription transcription_locale transcription_redaction transcription_sentiment transcription_summary transcription_format';
const CDR = 'date_from* date_to* timezone* answered noanswer busy failed calltype callbilling account';
const E911 =
  'did* full_name* street_number* street_name* address_type address_number city* state* country* zip* language other_info';
const MESSAGES = 'from to type did contact limit timezone all_messages';
const SOUNDS =
  'sound_join sound_leave sound_has_joined sound_has_left sound_kicked sound_muted sound_unmuted sound_only_person sound_only_one sound_there_are sound_other_in_party sound_place_into_conference sound_get_pin sound_invalid_pin sound_locked sound_locked_now sound_unlocked_now sound_error_menu sound_participants_muted sound_participants_unmuted';
const QUEUE =
  'queue_name* queue_number* queue_language* queue_password callerid_prefix join_announcement priority_weight* agent_announcement report_hold_time_agent* member_delay maximum_wait_time maximum_callers join_when_empty* leave_when_empty* ring_strategy* ring_inuse* agent_ring_timeout retry_timer wrapup_time voice_announcement frequency_announcement announce_position_frecuency announce_round_seconds if_announce_position_enabled_report_estimated_hold_time thankyou_for_your_patience music_on_hold fail_over_routing_timeout fail_over_routing_full fail_over_routing_join_empty fail_over_routing_leave_empty fail_over_routing_join_unavail fail_over_routing_leave_unavail';
const FAX_NOTICE = 'email email_enable email_attach_file';
const FAX_CALLBACK = 'url_callback url_callback_enable url_callback_retry';
const CLIENT = 'firstname* lastname* company address* city* state* country* zip* phone_number*';

// biome-ignore format: one line a method
const CATALOGUE: Readonly<Record<string, Group>> = {
  Account: {
    reads: [
      ['getBalance', 'What is left on the account; with advanced=1 also what was spent', 'advanced'],
      ['getCountries', 'Countries, or one of them', 'country'],
      ['getIP', 'The address that VoIP.ms sees requests come from; answers also when it is not allowed yet'],
      ['getLanguages', 'Languages of announcements', 'language'],
      ['getLocales', 'Locales of voicemail and transcriptions', 'locale'],
      ['getServersInfo', 'Servers (POPs) to register with', 'server_pop'],
      ['getTransactionHistory', 'Payments and charges of a range of days', 'date_from* date_to*'],
    ],
    changes: [],
  },
  'Sub-accounts': {
    reads: [
      ['getAllowedCodecs', 'Codecs that a sub-account may use', 'codec'],
      ['getAuthTypes', 'Ways in which a sub-account authenticates', 'type'],
      ['getDeviceTypes', 'Types of devices', 'device_type'],
      ['getDTMFModes', 'Modes of DTMF', 'dtmf_mode'],
      ['getLockInternational', 'Modes of international lock', 'lock_international'],
      ['getMusicOnHold', 'Music on hold', 'music_on_hold'],
      ['getNAT', 'Modes of NAT', 'nat'],
      ['getProtocols', 'Protocols of sub-accounts', 'protocol'],
      ['getRegistrationStatus', 'Whether a sub-account is registered, and from where', 'account*'],
      ['getReportEstimatedHoldTime', 'Ways to report the estimated hold time', 'type'],
      ['getRoutes', 'Routes of calls (premium, value)', 'route'],
      ['getSubAccounts', 'Sub-accounts, with their settings; a password is blotted out', 'account'],
      ['getLocations', 'Locations that extensions belong to'],
    ],
    changes: [
      ['createSubAccount', 'Make a sub-account', `username* protocol* description auth_type* password* ip device_type* callerid_number ${SUB_ACCOUNT} enable_internal_cnam internal_cnam dialing_mode tfcarrier internal_extension_location`],
      ['setSubAccount', 'Change a sub-account', `id* description auth_type* password* ip device_type* callerid_number ${SUB_ACCOUNT} dialing_mode tfcarrier internal_extension_location default_e911`],
      ['delSubAccount', 'Delete a sub-account', 'id*'],
      ['setMusicOnHold', 'Make or change music on hold', 'name* description volume sort recordings'],
      ['delMusicOnHold', 'Delete music on hold', 'music_on_hold*'],
      ['setLocation', 'Make a location', 'name*'],
      ['delLocation', 'Delete a location', 'name id*'],
    ],
  },
  'Call records': {
    reads: [
      ['getCDR', 'Records of calls in at most 92 days', CDR],
      ['getCallAccounts', 'Accounts that call records are told for'],
      ['getCallBilling', 'Kinds of billing to filter call records by'],
      ['getCallTypes', 'Kinds of calls to filter call records by', 'client'],
      ['getRates', 'Rates of a package, found by a name', 'package* query*'],
      ['getTerminationRates', 'Rates of outgoing calls, found by a name', 'query* route*'],
      ['getResellerCDR', 'Records of the calls of a client', `date_from* date_to* client* timezone* answered noanswer busy failed calltype callbilling account`],
    ],
    changes: [],
  },
  'Call recordings': {
    reads: [
      ['getCallRecording', 'One recording, as MP3 in base64', 'account* callrecording*'],
      ['getCallRecordings', 'Recordings of an account in a range of days', 'account* date_from* date_to* start length call_type'],
      ['getCallTranscriptions', 'What was said in calls of an account, where it is written down', 'account* date_from* date_to* call_type'],
    ],
    changes: [
      ['sendCallRecordingEmail', 'Send a recording to an e-mail address', 'account* email* callrecording*'],
      ['delCallRecording', 'Delete a recording', 'account* callrecording*'],
    ],
  },
  Phonebook: {
    reads: [
      ['getPhonebook', 'Entries of the phonebook, or of a group of it', 'phonebook name group group_name'],
      ['getPhonebookGroups', 'Groups of the phonebook, with the ids of their entries', 'name group'],
    ],
    changes: [
      ['setPhonebook', 'Make an entry, or (with phonebook) change one: send all of it', 'phonebook speed_dial name* number* callerid note group'],
      ['delPhonebook', 'Delete an entry', 'phonebook*'],
      ['setPhonebookGroup', 'Make a group, or (with group) replace its name and its whole list of members', 'group name* members phonebook'],
      ['delPhonebookGroup', 'Delete a group; its entries stay', 'group*'],
    ],
  },
  'Caller ID filtering': {
    reads: [['getCallerIDFiltering', 'Filters of callers: who is sent where', 'filtering did']],
    changes: [
      ['setCallerIDFiltering', 'Make a filter, or (with filter, not filtering) change one', `filter callerid* did* routing* ${FAILOVERS} note`],
      ['delCallerIDFiltering', 'Delete a filter', 'filtering*'],
    ],
  },
  'Text messages': {
    reads: [
      ['getSMS', 'Text messages; without dates those of today', `sms ${MESSAGES}`],
      ['getMMS', 'Messages with pictures; without dates those of today', `mms ${MESSAGES}`],
      ['getMediaMMS', 'The pictures of a message', 'id* media_as_array'],
      ['getResellerSMS', 'Text messages of a client', `sms client* ${MESSAGES}`],
      ['getResellerMMS', 'Messages with pictures of a client', `mms client* ${MESSAGES}`],
    ],
    changes: [
      ['sendSMS', 'Send a text message of at most 160 characters', 'did* dst* message*'],
      ['sendMMS', 'Send a message with pictures', 'did* dst* message* media1 media2 media3'],
      ['deleteSMS', 'Delete a text message', 'id*'],
      ['deleteMMS', 'Delete a message with pictures', 'id*'],
      ['setSMS', 'Set what a number does with text messages', 'did* enable* email_enabled email_address sms_forward_enable sms_forward url_callback_enable url_callback url_callback_retry sms_sipaccount sms_sipaccount_enabled'],
    ],
  },
  Numbers: {
    reads: [
      ['getBackOrders', 'Numbers that are on order', 'id'],
      ['getCarriers', 'Carriers of vanity numbers', 'carrier'],
      ['getDIDCountries', 'Countries that have international numbers', 'country_id type*'],
      ['getDIDsCAN', 'Numbers to be had in Canada', 'province* ratecenter*'],
      ['getDIDsInfo', 'The numbers of the account, with their settings; pins and passwords are blotted out', 'client did'],
      ['getDIDsInternationalGeographic', 'International numbers of a place to be had', 'country_id*'],
      ['getDIDsInternationalNational', 'International numbers of a country to be had', 'country_id*'],
      ['getDIDsInternationalTollFree', 'International toll-free numbers to be had', 'country_id*'],
      ['getDIDsUSA', 'Numbers to be had in the USA', 'state* ratecenter*'],
      ['getDIDvPRI', 'Numbers of a vPRI', 'vpri*'],
      ['getInternationalTypes', 'Kinds of international numbers', 'type'],
      ['getPortability', 'Whether a number can be brought along', 'did*'],
      ['getProvinces', 'Provinces of Canada'],
      ['getRateCentersCAN', 'Rate centres of a province', 'province*'],
      ['getRateCentersUSA', 'Rate centres of a state', 'state*'],
      ['getStates', 'States of the USA'],
      ['getVPRIs', 'The vPRIs of the account'],
      ['searchDIDsCAN', 'Search numbers in Canada', 'province type* query*'],
      ['searchDIDsUSA', 'Search numbers in the USA', 'state type* query*'],
      ['searchTollFreeCanUS', 'Search toll-free numbers of Canada and the USA', 'type query'],
      ['searchTollFreeUSA', 'Search toll-free numbers of the USA', 'type query'],
      ['searchVanity', 'Search vanity numbers', 'type* query*'],
    ],
    changes: [
      ['assignDIDvPRI', 'Give a number to a vPRI', 'vpri* did*'],
      ['backOrderDIDCAN', 'Order numbers of Canada that are not in stock', `quantity* province* ratecenter* ${NEW_DID} test`],
      ['backOrderDIDUSA', 'Order numbers of the USA that are not in stock', `quantity* state* ratecenter* ${NEW_DID} test`],
      ['cancelDID', 'Give a number up', 'did* cancelcomment portout test'],
      ['connectDID', 'Give a number to a client', 'did* account* monthly* setup* minute* next_billing dont_charge_setup dont_charge_monthly'],
      ['orderDID', 'Order a number', `did* ${NEW_DID} ${RESELLER_DID}`],
      ['orderDIDInternationalGeographic', 'Order an international number of a place', `location_id* quantity* ${NEW_DID} ${RESELLER_DID}`],
      ['orderDIDInternationalNational', 'Order an international number of a country', `location_id* quantity* ${NEW_DID} ${RESELLER_DID}`],
      ['orderDIDInternationalTollFree', 'Order an international toll-free number', `location_id* quantity* routing* ${FAILOVERS} voicemail pop* dialtime* cnam* callerid_prefix note ${RESELLER_DID}`],
      ['orderDIDVirtual', 'Order a virtual number', `digits* routing* ${FAILOVERS} voicemail pop* dialtime* cnam* callerid_prefix note ${RESELLER_DID}`],
      ['orderTollFree', 'Order a toll-free number', `did* routing* ${FAILOVERS} voicemail pop* dialtime* cnam* callerid_prefix note ${RESELLER_DID}`],
      ['orderVanity', 'Order a vanity number', `did* routing* ${FAILOVERS} voicemail pop* dialtime* cnam* callerid_prefix note carrier* ${RESELLER_DID}`],
      ['removeDIDvPRI', 'Take a number from a vPRI', 'vpri* did*'],
      ['setDIDBillingType', 'Change how a number is billed', 'did* billing_type*'],
      ['setDIDInfo', 'Change the settings of a number: send all of them', `did* routing* ${FAILOVERS} voicemail pop* dialtime* cnam* callerid_prefix note port_out_pin billing_type* record_calls transcribe transcription_locale transcription_email transcription_start_delay voicemail_threshold`],
      ['setDIDPOP', 'Change the server of a number', 'did* pop*'],
      ['setDIDRouting', 'Change where calls of a number go', 'did* routing*'],
      ['setDIDVoicemail', 'Change the mailbox of a number', 'did* voicemail'],
      ['unconnectDID', 'Take a number from a client', 'did*'],
    ],
  },
  'Call flow': {
    reads: [
      ['getCallHuntings', 'Call huntings', 'callhunting'],
      ['getCallParking', 'Parking lots', 'callparking'],
      ['getCallbacks', 'Callbacks', 'callback'],
      ['getDISAs', 'DISAs: dial through after a pin', 'disa'],
      ['getForwardings', 'Forwardings', 'forwarding'],
      ['getIVRs', 'Menus (IVR)', 'ivr'],
      ['getJoinWhenEmptyTypes', 'When a queue takes callers though nobody is there', 'type'],
      ['getQueues', 'Queues', 'queue'],
      ['getRecordingFile', 'An announcement, in base64', 'recording*'],
      ['getRecordings', 'Announcements', 'recording'],
      ['getRingGroups', 'Ring groups', 'ring_group'],
      ['getRingStrategies', 'Ring strategies of queues', 'strategy'],
      ['getSIPURIs', 'SIP addresses to route to', 'sipuri'],
      ['getStaticMembers', 'Members of a queue', 'queue* member'],
      ['getTimeConditions', 'Time conditions', 'timecondition'],
    ],
    changes: [
      ['setCallHunting', 'Make or change a call hunting', 'callhunting description* music* recording* language* order* members* ring_time* press*'],
      ['delCallHunting', 'Delete a call hunting', 'callhunting*'],
      ['setCallParking', 'Make or change a parking lot', 'callparking name* timeout* music* failover* language* destination* delay*'],
      ['delCallParking', 'Delete a parking lot', 'callparking*'],
      ['setCallback', 'Make or change a callback', 'callback description* number* delay_before* response_timeout* digit_timeout* callerid_number'],
      ['delCallback', 'Delete a callback', 'callback*'],
      ['setDISA', 'Make or change a DISA', 'disa name* pin* digit_timeout* callerid_override language'],
      ['delDISA', 'Delete a DISA', 'disa*'],
      ['setForwarding', 'Make or change a forwarding', 'forwarding phone_number* callerid_override description dtmf_digits pause diversion_header'],
      ['delForwarding', 'Delete a forwarding', 'forwarding*'],
      ['setIVR', 'Make or change a menu', 'ivr name* recording* timeout* language* voicemailsetup* choices*'],
      ['delIVR', 'Delete a menu', 'ivr*'],
      ['setQueue', 'Make or change a queue', `queue ${QUEUE}`],
      ['delQueue', 'Delete a queue', 'queue*'],
      ['setRecording', 'Make or replace an announcement', 'recording file* name*'],
      ['delRecording', 'Delete an announcement', 'recording*'],
      ['setRingGroup', 'Make or change a ring group', 'ring_group name* members* voicemail* caller_announcement music_on_hold language'],
      ['delRingGroup', 'Delete a ring group', 'ringgroup*'],
      ['setSIPURI', 'Make or change a SIP address', 'sipuri uri* description callerid_override callerid_e164'],
      ['delSIPURI', 'Delete a SIP address', 'sipuri*'],
      ['setStaticMember', 'Make or change a member of a queue', 'member queue* member_name* account* priority*'],
      ['delStaticMember', 'Take a member out of a queue', 'member* queue*'],
      ['setTimeCondition', 'Make or change a time condition', 'timecondition name* routing_match* routing_nomatch* starthour* startminute* endhour* endminute* weekdaystart* weekdayend*'],
      ['delTimeCondition', 'Delete a time condition', 'timecondition*'],
    ],
  },
  Conferences: {
    reads: [
      ['getConference', 'Conferences', 'conference'],
      ['getConferenceMembers', 'Members of conferences', 'member'],
      ['getConferenceRecordings', 'Recordings of a conference', 'conference* date_from date_to'],
      ['getConferenceRecordingFile', 'A recording of a conference, in base64', 'conference* recording*'],
    ],
    changes: [
      ['setConference', 'Make or change a conference', `conference name* description members max_members ${SOUNDS} language`],
      ['delConference', 'Delete a conference', 'conference*'],
      ['setConferenceMember', 'Make or change a member', 'member conference name* description pin announce_join_leave admin start_muted announce_user_count announce_only_user moh_when_empty quiet announcement drop_silence talking_threshold silence_threshold talk_detection jitter_buffer'],
      ['delConferenceMember', 'Delete a member', 'member*'],
      ['addMemberToConference', 'Put a member into a conference', 'member* conference*'],
      ['delMemberFromConference', 'Take a member out of a conference', 'member* conference'],
    ],
  },
  Voicemail: {
    reads: [
      ['getPlayInstructions', 'Kinds of instructions that a mailbox plays', 'play_instructions'],
      ['getTimezones', 'Time zones of mailboxes', 'timezone'],
      ['getVoicemails', 'Mailboxes; a password is blotted out', 'mailbox'],
      ['getVoicemailAttachmentFormats', 'Formats of attachments', 'email_attachment_format'],
      ['getVoicemailFolders', 'Folders of mailboxes', 'folder'],
      ['getVoicemailMessages', 'Messages of a mailbox', 'mailbox* folder date_from date_to'],
      ['getVoicemailMessageFile', 'A message, in base64', 'mailbox* folder* message_num*'],
      ['getVoicemailSetups', 'Kinds of voicemail', 'voicemailsetup'],
      ['getVoicemailTranscriptions', 'What was said in messages, where it is written down', 'account* mailbox* date_from* date_to* folder'],
    ],
    changes: [
      ['createVoicemail', 'Make a mailbox', `digits* ${VOICEMAIL}`],
      ['setVoicemail', 'Change a mailbox', `mailbox* ${VOICEMAIL}`],
      ['delVoicemail', 'Delete a mailbox', 'mailbox*'],
      ['delMessages', 'Delete messages of a mailbox', 'mailbox* folder message_num'],
      ['markListenedVoicemailMessage', 'Mark a message as heard, or not', 'mailbox* folder* message_num* listened*'],
      ['markUrgentVoicemailMessage', 'Mark a message as urgent, or not', 'mailbox* folder* message_num* urgent*'],
      ['moveFolderVoicemailMessage', 'Move a message to another folder', 'mailbox* folder* message_num* new_folder*'],
      ['sendVoicemailEmail', 'Send a message to an e-mail address', 'mailbox* folder* message_num* email_address*'],
    ],
  },
  Fax: {
    reads: [
      ['getEmailToFax', 'Settings of fax by e-mail', 'id'],
      ['getFaxFolders', 'Folders of faxes', 'id'],
      ['getFaxMessages', 'Faxes', 'from to folder id'],
      ['getFaxMessagePDF', 'A fax, as PDF in base64', 'id*'],
      ['getFaxNumbersInfo', 'Fax numbers of the account', 'did'],
      ['getFaxNumbersPortability', 'Whether a fax number can be brought along', 'did*'],
      ['getFaxProvinces', 'Provinces that have fax numbers', 'province'],
      ['getFaxRateCentersCAN', 'Rate centres of a province', 'province*'],
      ['getFaxRateCentersUSA', 'Rate centres of a state', 'state*'],
      ['getFaxStates', 'States that have fax numbers', 'state'],
      ['searchFaxAreaCodeCAN', 'Search fax numbers of Canada', 'area_code*'],
      ['searchFaxAreaCodeUSA', 'Search fax numbers of the USA', 'area_code*'],
    ],
    changes: [
      ['sendFaxMessage', 'Send a fax', 'to_number* from_name* from_number* send_email_enabled send_email station_id file* test'],
      ['mailFaxMessagePDF', 'Send a fax to an e-mail address', 'id* email*'],
      ['moveFaxMessage', 'Move a fax to another folder', 'fax_id* folder_id* test'],
      ['deleteFaxMessage', 'Delete a fax', 'id* test'],
      ['setFaxFolder', 'Make or rename a folder', 'id name* test'],
      ['delFaxFolder', 'Delete a folder', 'id* test'],
      ['setEmailToFax', 'Make or change fax by e-mail', 'id enabled auth_email* from_number_id* security_code_enabled security_code* test'],
      ['delEmailToFax', 'Delete fax by e-mail', 'id* test'],
      ['orderFaxNumber', 'Order a fax number', `location* quantity* ${FAX_NOTICE} ${FAX_CALLBACK} test`],
      ['cancelFaxNumber', 'Give a fax number up', 'id* test'],
      ['setFaxNumberInfo', 'Change the settings of a fax number', `did* ${FAX_NOTICE} ${FAX_CALLBACK} test`],
      ['setFaxNumberEmail', 'Change the e-mail of a fax number', `did* ${FAX_NOTICE} test`],
      ['setFaxNumberURLCallback', 'Change the callback of a fax number', `did* ${FAX_CALLBACK} test`],
      ['connectFAX', 'Give a fax number to a client', 'did* account* monthly* setup* minute* next_billing dont_charge_setup dont_charge_monthly'],
      ['unconnectFAX', 'Take a fax number from a client', 'did*'],
    ],
  },
  'Emergency calls': {
    reads: [
      ['e911AddressTypes', 'Types of addresses', 'type'],
      ['e911Info', 'The address of a number', 'did*'],
      ['e911Validate', 'Whether an address would be taken', E911],
    ],
    changes: [
      ['e911Provision', 'Give a number its address', E911],
      ['e911ProvisionManually', 'Give a number its address, to be checked by a person', E911],
      ['e911Update', 'Change the address of a number', E911],
      ['e911Cancel', 'Take its address from a number', 'did*'],
    ],
  },
  'Number porting': {
    reads: [
      ['getLNPAttach', 'A document of a port, in base64', 'attachid*'],
      ['getLNPAttachList', 'Documents of a port', 'portid*'],
      ['getLNPDetails', 'A port in detail', 'portid*'],
      ['getLNPList', 'Ports', 'portid portStatus startDate endDate'],
      ['getLNPListStatus', 'States that a port can be in'],
      ['getLNPNotes', 'Notes of a port', 'portid*'],
      ['getLNPStatus', 'The state of a port', 'portid*'],
    ],
    changes: [
      ['addLNPPort', 'Ask to bring numbers along', 'portType* numbers* isPartial locationType* isMobile pin btn services tfType statementName* firstName* lastName* address1* address2 city* zip* state* country* providerName* providerAccount* notes'],
      ['addLNPFile', 'Add a document to a port', 'portid* file*'],
    ],
  },
  Resellers: {
    reads: [
      ['getBalanceManagement', 'What happens when a client has no money left', 'balance_management'],
      ['getCharges', 'Charges of a client', 'client*'],
      ['getClientPackages', 'Packages of a client', 'client*'],
      ['getClients', 'Clients', 'client'],
      ['getClientThreshold', 'At which balance a client is warned', 'client*'],
      ['getDeposits', 'Payments of a client', 'client*'],
      ['getPackages', 'Packages', 'package'],
      ['getResellerBalance', 'What is left of a client’s money', 'client*'],
    ],
    changes: [
      ['addCharge', 'Charge a client', 'client* charge* description test'],
      ['addPayment', 'Book a payment of a client', 'client* payment* description test'],
      ['setClient', 'Change a client', `client* email* password* ${CLIENT} balance_management`],
      ['setClientThreshold', 'Change at which balance a client is warned', 'client* email threshold*'],
      ['signupClient', 'Make a client', `${CLIENT} email* confirm_email* password* confirm_password* activate balance_management`],
      ['delClient', 'Delete a client', 'client*'],
    ],
  },
};

export const METHODS: readonly VoipMsMethod[] = Object.entries(CATALOGUE).flatMap(([group, { reads, changes }]) => [
  ...reads.map((row) => methodOf(row, group, false)),
  ...changes.map((row) => methodOf(row, group, true)),
]);

function methodOf([name, about, params = '']: Row, group: string, changes: boolean): VoipMsMethod {
  const words = params.split(' ').filter((word) => word !== '');
  return { name, group, about, changes, params: words.map((word) => parameterOf(name, word)) };
}

function parameterOf(method: string, word: string): VoipMsParameter {
  const name = word.replace('*', '');
  return { name, required: word.endsWith('*'), about: aboutParameter(method, name) };
}

const BY_NAME = new Map(METHODS.map((method) => [method.name, method]));

/** Null where it is not documented. */
export function methodNamed(name: string): VoipMsMethod | null {
  return BY_NAME.get(name) ?? null;
}
