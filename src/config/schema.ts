/** Every setting, one line each: what it is called outside, how it is read, what it is when nobody says, what it does. */
import {
  between,
  form,
  type Kind,
  oneOf,
  origins,
  pbxAddress,
  phoneNumber,
  prefixes,
  publicUrl,
  serviceUrl,
  someOf,
  text,
  whole,
  words,
  yesOrNo,
} from './kinds.ts';

export interface Setting<T> {
  readonly name: string;
  readonly kind: Kind<T>;
  readonly fallback: T;
  readonly about: string;
  readonly secret: boolean;
}

/** An optional setting is null until somebody sets it. */
function optional<T>(name: string, kind: Kind<T>, about: string): Setting<T | null> {
  return { name, kind: kind as Kind<T | null>, fallback: null, about, secret: false };
}

function secret(name: string, kind: Kind<string>, about: string): Setting<string | null> {
  return { ...optional(name, kind, about), secret: true };
}

function setting<T>(name: string, kind: Kind<T>, fallback: NoInfer<T>, about: string): Setting<T> {
  return { name, kind, fallback, about, secret: false };
}

const NONE: readonly string[] = [];
export const TOOLSETS = ['voice', 'asterisk', '3cx', 'voipms'] as const;
export type Toolset = (typeof TOOLSETS)[number];
const NO_TOOLSETS: readonly Toolset[] = [];
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const accountSid = form(/^AC[0-9a-fA-F]{32}$/, 'be AC and 32 hexadecimal digits, as the Twilio console shows it');
const apiKey = form(/^SK[0-9a-fA-F]{32}$/, 'be SK and 32 hexadecimal digits, as the Twilio console shows it');
const credential = form(/^\S+$/, 'be one word without spaces');
const hostName = form(/^[A-Za-z0-9._:-]{1,253}$/, 'be a host name or an address, without scheme and port');
const hostNames = words(/^[A-Za-z0-9._-]{1,253}$/, 'be a comma-separated list of host names, without scheme and port');
const toolNames = words(/^[A-Za-z0-9_-]{1,40}$/, 'be a comma-separated list of names of tools');
const hostAndPort = form(
  /^([A-Za-z0-9._-]{1,253}|\[[0-9a-fA-F:]+\]):\d{1,5}$/,
  'be an address and a port, such as 127.0.0.1:9092',
);
const isoCountry = form(/^[A-Za-z]{2}$/, 'be the two letters of a country, such as US');
const dialPrefix = form(/^(\+|[\d*#]{1,10})$/, 'be + or the digits that are dialled in its place, such as 00 or 9011');
const dialContext = form(/^[A-Za-z0-9_-]{1,79}$/, 'be the name of a context of the dial plan');
const cdrUrl = form(
  /^(postgres(ql)?:\/\/|mysql:\/\/|mariadb:\/\/|sqlite:|csv:)\S+$/,
  'begin with postgres://, mysql://, sqlite: or csv:',
);
const tableName = form(/^[A-Za-z_][A-Za-z0-9_.]{0,126}$/, 'be the name of a table');
const extension = form(/^[A-Za-z0-9*#_]{1,40}$/, 'be an extension, such as 100');
const recipients = words(
  /^[^\s@,]*@[^\s@,]+\.[^\s@,]+$/,
  'be a comma-separated list of e-mail addresses, or of @example.com for all of a domain',
);
const token = form(/^\S{16,}$/, 'be at least 16 characters without spaces; take a random one');

// biome-ignore format: one line a setting
export const SETTINGS = {
  publicUrl: optional('PUBLIC_URL', publicUrl, 'Address under which Twilio reaches this server, such as https://calls.example.com. http:// works for this machine only.'),
  preflight: setting('PREFLIGHT', yesOrNo, true, 'Try PUBLIC_URL from this machine before calls are placed. false only where a machine cannot reach its own public address.'),
  twilioAccountSid: optional('TWILIO_ACCOUNT_SID', accountSid, 'Account SID of the Twilio console.'),
  twilioAuthToken: secret('TWILIO_AUTH_TOKEN', credential, 'Auth token of the Twilio console; also checks that webhooks come from Twilio.'),
  twilioAuthTokenSecondary: secret('TWILIO_AUTH_TOKEN_SECONDARY', credential, 'Second auth token while tokens are being rotated: signatures of either pass.'),
  twilioApiKey: optional('TWILIO_API_KEY', apiKey, 'API key to use for Twilio’s REST API instead of the auth token.'),
  twilioApiSecret: secret('TWILIO_API_SECRET', credential, 'Secret of TWILIO_API_KEY.'),
  twilioNumber: optional('TWILIO_NUMBER', phoneNumber, 'Your Twilio number, which calls come from, such as +14155550100.'),
  twilioApiBaseUrl: optional('TWILIO_API_BASE_URL', serviceUrl('https', 'http'), 'Twilio’s REST API, when it is reached through a proxy.'),
  openaiApiKey: secret('OPENAI_API_KEY', credential, 'API key of OpenAI.'),
  openaiWebsocketUrl: setting('OPENAI_WEBSOCKET_URL', serviceUrl('wss', 'ws'), 'wss://api.openai.com/v1/realtime', 'Realtime endpoint: OpenAI’s, Azure’s or a compatible server’s. ?model= is added when absent.'),
  openaiRealtimeModel: setting('OPENAI_REALTIME_MODEL', text, 'gpt-realtime-2.1', 'Speech model that holds the conversation.'),
  openaiVoice: setting('OPENAI_VOICE', text, 'sage', 'Voice of the agent.'),
  openaiRealtimeDialect: setting('OPENAI_REALTIME_DIALECT', oneOf('ga', 'beta'), 'ga', 'beta for servers that still speak the flat shape of the beta.'),
  openaiTranscriptionModel: setting('OPENAI_TRANSCRIPTION_MODEL', text, 'gpt-transcribe', 'Model that writes down what the other side says.'),
  openaiNoiseReduction: setting('OPENAI_NOISE_REDUCTION', oneOf('near_field', 'far_field', 'off'), 'near_field', 'Noise reduction before the model listens: near_field, far_field or off.'),
  turnDetection: setting('TURN_DETECTION', oneOf('server_vad', 'semantic_vad'), 'server_vad', 'How the end of a turn is found: server_vad or semantic_vad.'),
  vadThreshold: setting('VAD_THRESHOLD', between(0, 1), 0.5, 'How loud speech must be to count, 0 to 1.'),
  vadSilenceMs: setting('VAD_SILENCE_MS', whole(100, 5000), 500, 'Silence in milliseconds that ends a turn; the first turn waits longer.'),
  host: setting('HOST', text, '127.0.0.1', 'Address of the public listener (webhooks and audio), which your proxy or tunnel forwards to.'),
  port: setting('PORT', whole(0, 65535), 3004, 'Port of the public listener.'),
  toolsets: setting('TOOLSETS', someOf(...TOOLSETS), NO_TOOLSETS, `Which sets of tools are offered, comma-separated: ${TOOLSETS.join(', ')}. Empty: every set whose system is configured.`),
  tools: setting('TOOLS', toolNames, NONE, 'Only these tools of the sets are offered, comma-separated. Empty: all of them.'),
  excludeTools: setting('EXCLUDE_TOOLS', toolNames, NONE, 'These tools are never offered, comma-separated.'),
  readOnly: setting('READ_ONLY', yesOrNo, false, 'Offer only what changes nothing, whatever else is asked for.'),
  confirmCalls: setting('CONFIRM_CALLS', oneOf('never', 'when-possible', 'always'), 'never', 'Have the client ask its user before each call (MCP elicitation): never, when-possible, or always, which refuses calls of clients that cannot ask.'),
  mcpHost: setting('MCP_HOST', text, '127.0.0.1', 'Address of the private listener (/mcp, /sse, /metrics and /ready). Another one than loopback needs tokens: MCP_AUTH_TOKEN, MCP_TOKENS_FILE or OAUTH_ISSUER.'),
  mcpPort: setting('MCP_PORT', whole(0, 65535), 8787, 'Port of the private listener.'),
  privateListener: setting('PRIVATE_LISTENER', yesOrNo, false, 'Start the private listener also beside an MCP client on stdin and stdout; --http does the same. switchboard serve always starts it.'),
  mcpUrl: optional('MCP_URL', serviceUrl('https', 'http'), 'Address under which clients reach the private listener through your own proxy, such as https://mcp.example.com; without /mcp.'),
  mcpAuthToken: secret('MCP_AUTH_TOKEN', token, 'Bearer token that clients of the private listener must show; it may do everything.'),
  mcpTokensFile: optional('MCP_TOKENS_FILE', text, 'JSON file with named bearer tokens and what each may do; docs/mcp.md shows its form.'),
  mcpAllowQueryToken: setting('MCP_ALLOW_QUERY_TOKEN', yesOrNo, false, 'Also take the token from ?token= in the address, which proxies and histories may keep. Only for clients that can set nothing else.'),
  mcpAllowedHosts: setting('MCP_ALLOWED_HOSTS', hostNames, NONE, 'Further names under which clients may address the private listener, comma-separated.'),
  mcpAllowedOrigins: setting('MCP_ALLOWED_ORIGINS', origins, NONE, 'Origins of web pages that may use the private listener, comma-separated, such as https://app.example.com.'),
  mcpRequestsPerMinute: setting('MCP_REQUESTS_PER_MINUTE', whole(1, 1_000_000), 600, 'Most requests a minute of one token.'),
  oauthIssuer: optional('OAUTH_ISSUER', serviceUrl('https', 'http'), 'Issuer of OAuth access tokens (JWT) that are accepted as well; needs MCP_URL or OAUTH_AUDIENCE.'),
  oauthAudience: optional('OAUTH_AUDIENCE', text, 'Audience that those tokens must name. Default: MCP_URL with /mcp.'),
  oauthJwksUrl: optional('OAUTH_JWKS_URL', serviceUrl('https', 'http'), 'Keys of the issuer. Default: as its metadata says.'),
  dataDir: optional('DATA_DIR', text, 'Folder for transcripts and other data. Default: the platform’s user data folder.'),
  pricesFile: optional('PRICES_FILE', text, 'JSON file whose prices replace the built-in ones where it names them; docs/costs.md shows its form.'),
  logLevel: setting('LOG_LEVEL', oneOf(...LEVELS), 'info', `How much is logged to stderr: ${LEVELS.join(', ')}.`),
  maxConcurrentCalls: setting('MAX_CONCURRENT_CALLS', whole(1, 1000), 20, 'Most calls at the same time.'),
  maxCallsPerHour: setting('MAX_CALLS_PER_HOUR', whole(1, 100_000), 60, 'Most calls placed within an hour.'),
  allowedNumbers: setting('ALLOWED_NUMBERS', prefixes, NONE, 'Only numbers that begin with one of these may be called, comma-separated, such as +1415,+44. Empty: all.'),
  blockedNumbers: setting('BLOCKED_NUMBERS', prefixes, NONE, 'Numbers that begin with one of these are never called. Emergency and premium-rate numbers are always refused.'),
  ringTimeoutSeconds: setting('RING_TIMEOUT_SECONDS', whole(5, 600), 30, 'How long the telephone rings before the call is given up.'),
  firstSpeechSeconds: setting('FIRST_SPEECH_SECONDS', between(0, 30), 3, 'How long the agent waits for the other side to speak first.'),
  silenceSeconds: setting('SILENCE_SECONDS', between(3, 300), 15, 'Silence after which the agent asks whether somebody is there.'),
  maxCallSeconds: setting('MAX_CALL_SECONDS', whole(10, 14_400), 900, 'Longest call; Twilio enforces it too.'),
  aiDisclosure: setting('AI_DISCLOSURE', yesOrNo, true, 'The first sentence says that an AI is calling. When asked, it is always said.'),
  recordCalls: setting('RECORD_CALLS', yesOrNo, false, 'Record calls to stereo files in DATA_DIR, and say so in the first sentence. Many places require consent.'),
  twilioRecording: setting('TWILIO_RECORDING', yesOrNo, false, 'Of calls that are recorded Twilio keeps a recording too, for which it charges.'),
  amiHost: optional('AMI_HOST', hostName, 'Address of Asterisk’s manager (AMI), for its tools and for calls over it; docs/asterisk.md.'),
  amiPort: setting('AMI_PORT', whole(1, 65535), 5038, 'Port of Asterisk’s manager.'),
  amiUsername: optional('AMI_USERNAME', credential, 'Account of manager.conf; docs/asterisk.md gives it exactly the rights that are needed.'),
  amiSecret: secret('AMI_SECRET', credential, 'Secret of AMI_USERNAME.'),
  amiTls: setting('AMI_TLS', yesOrNo, false, 'Connect to Asterisk’s manager by TLS; its certificate is verified.'),
  amiTlsCa: optional('AMI_TLS_CA', text, 'File (PEM) of the authority that signed the certificate of Asterisk’s manager, where it is one of your own.'),
  asteriskContext: setting('ASTERISK_CONTEXT', dialContext, 'from-internal', 'The one context of Asterisk’s dial plan in which calls are placed, and whose dial rules are told.'),
  asteriskCountry: setting('ASTERISK_COUNTRY', isoCountry, 'US', 'Country of the office: how numbers are read, and which ones are emergency numbers.'),
  asteriskPlus: setting('ASTERISK_PLUS', dialPrefix, '+', 'What Asterisk’s dial plan wants in place of the + of a number, such as 00 or 9011.'),
  asteriskChangesPerMinute: setting('ASTERISK_CHANGES_PER_MINUTE', whole(1, 10_000), 30, 'Most changes that tools may make to Asterisk within a minute: calls placed or hung up, participants muted and the like.'),
  asteriskMediaUsername: optional('ASTERISK_MEDIA_USERNAME', credential, 'User name that Asterisk shows when it connects the audio of a call (websocket_client.conf).'),
  asteriskMediaPassword: secret('ASTERISK_MEDIA_PASSWORD', token, 'Password of ASTERISK_MEDIA_USERNAME.'),
  asteriskAgentContext: setting('ASTERISK_AGENT_CONTEXT', dialContext, 'switchboard', 'Context of Asterisk’s dial plan with the extensions of the agent; docs/asterisk.md has it.'),
  asteriskAudioSocket: optional('ASTERISK_AUDIOSOCKET', hostAndPort, 'Address at which Asterisk connects the audio of calls by AudioSocket, such as 127.0.0.1:9092: for servers without chan_websocket. Nothing but the id of a call authenticates it, so keep it on loopback or behind a firewall.'),
  cdrDatabaseUrl: secret('CDR_DATABASE_URL', cdrUrl, 'Where Asterisk keeps its call records: postgres://…, mysql://…, sqlite:/path or csv:/path. Only ever read.'),
  cdrTable: setting('CDR_TABLE', tableName, 'cdr', 'Table of the call records.'),
  asteriskRecordingsDir: optional('ASTERISK_RECORDINGS_DIR', text, 'Folder in which Asterisk keeps recordings that it makes itself, such as /var/spool/asterisk/monitor, where it is on this machine. Whoever may read the office’s data may listen to them.'),
  pbxFqdn: optional('PBX_FQDN', pbxAddress, 'Address of the 3CX (v20), such as pbx.example.com or pbx.example.com:5001, for its tools and for calls over it; docs/3cx.md.'),
  pbxClientId: optional('PBX_CLIENT_ID', credential, 'Client ID of the API client in 3CX, which is also its route point.'),
  pbxClientSecret: secret('PBX_CLIENT_SECRET', credential, 'API key that 3CX shows once for that client.'),
  pbxDefaultExtension: optional('PBX_DEFAULT_EXTENSION', extension, 'Extension of 3CX that is meant where a tool is told none.'),
  pbxCountry: setting('PBX_COUNTRY', isoCountry, 'US', 'Country of the office with the 3CX: which numbers are emergency numbers.'),
  pbxChangesPerMinute: setting('PBX_CHANGES_PER_MINUTE', whole(1, 10_000), 30, 'Most changes that tools may make to 3CX within a minute.'),
  pbxUsername: optional('PBX_USERNAME', text, 'Not used: 3CX is asked with PBX_CLIENT_ID and PBX_CLIENT_SECRET alone, never with a person’s own login.'),
  pbxPassword: secret('PBX_PASSWORD', credential, 'Not used; see PBX_USERNAME.'),
  voipmsApiUsername: optional('VOIPMS_API_USERNAME', credential, 'E-mail address of the VoIP.ms account, for its tools and switchboard voipms; docs/voipms.md.'),
  voipmsApiPassword: secret('VOIPMS_API_PASSWORD', credential, 'API password of VoIP.ms, which is not the one of its portal.'),
  voipmsApiUrl: setting('VOIPMS_API_URL', serviceUrl('https', 'http'), 'https://voip.ms/api/v1/rest.php', 'The API of VoIP.ms, when it is reached through a proxy.'),
  voipmsSmsNumber: optional('VOIPMS_SMS_NUMBER', phoneNumber, 'Number of the VoIP.ms account that text messages are sent from, such as +14155550100: with it threecx_send_message can send.'),
  voipmsEmailRecipients: setting('VOIPMS_EMAIL_RECIPIENTS', recipients, NONE, 'To whom recordings of VoIP.ms may be sent by e-mail, comma-separated: addresses, or @example.com for all of a domain. Empty: to nobody.'),
  voipmsChangesPerMinute: setting('VOIPMS_CHANGES_PER_MINUTE', whole(1, 10_000), 30, 'Most changes that tools may make to the VoIP.ms account within a minute.'),
  openaiApiUrl: setting('OPENAI_API_URL', serviceUrl('https', 'http'), 'https://api.openai.com/v1', 'REST API of OpenAI or of a compatible server, which writes down recordings.'),
  openaiRecordingModel: setting('OPENAI_RECORDING_MODEL', text, 'gpt-transcribe', 'Model that writes down recordings of VoIP.ms for which there is no transcript.'),
  inboundContext: optional('INBOUND_CONTEXT', text, 'What the agent is told about calls that come in over Asterisk or 3CX. Without it such calls are left alone, and the telephone system goes on by its own rules.'),
  retainDays: setting('RETAIN_DAYS', whole(0, 36_500), 0, 'Days after which ended calls are forgotten, with transcripts and recordings. 0 keeps them.'),
} as const;

export type SettingKey = keyof typeof SETTINGS;
