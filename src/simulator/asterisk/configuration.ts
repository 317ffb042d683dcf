/** The files of a small office: phones, conferences, a queue, feature codes, and an extension where the agent answers. All on loopback. */
import { MODULES } from './modules.ts';

export interface OfficeOptions {
  /** Where the private installation keeps what it writes. */
  readonly folder: string;
  /** Folder of Asterisk's loadable modules, and of its sounds and documentation. */
  readonly moduleFolder: string;
  readonly dataFolder: string;
  readonly sipPort: number;
  readonly amiPort: number;
  /** Two ports a call. */
  readonly rtpPorts: { readonly from: number; readonly to: number };
  /** Extensions with a phone each. The SIP password of 1001 is `phone-1001`. */
  readonly phones: readonly string[];
  /** The agent's media socket. */
  readonly media: { readonly url: string; readonly username: string; readonly password: string };
  /** `host:port` of the agent's AudioSocket listener, for the extension that uses it. */
  readonly audioSocket?: string;
  readonly certificate?: { readonly file: string; readonly keyFile: string; readonly amiTlsPort: number };
  /** More lines for `cdr.conf`'s neighbours, by file name. */
  readonly more?: Readonly<Record<string, string>>;
  readonly moreModules?: readonly string[];
}

export interface OfficeAccount {
  readonly username: string;
  readonly secret: string;
}

/** The account that the documentation tells administrators to make, and two for what goes wrong. */
export const ACCOUNTS = {
  switchboard: { username: 'switchboard', secret: 'ami-secret-for-tests' },
  reader: { username: 'reader', secret: 'ami-secret-for-reading' },
  tooMuch: { username: 'too-much', secret: 'ami-secret-with-system' },
} as const satisfies Record<string, OfficeAccount>;

/** Settings with which a server finds it, by their names in the environment. */
export function settingsFor(
  amiPort: number,
  media: { readonly username: string; readonly password: string },
  { username, secret }: OfficeAccount = ACCOUNTS.switchboard,
): Record<string, string> {
  return {
    AMI_HOST: '127.0.0.1',
    AMI_PORT: String(amiPort),
    AMI_USERNAME: username,
    AMI_SECRET: secret,
    ASTERISK_CONTEXT: PHONES_CONTEXT,
    ASTERISK_MEDIA_USERNAME: media.username,
    ASTERISK_MEDIA_PASSWORD: media.password,
  };
}

/** The contexts of the dial plan. */
export const PHONES_CONTEXT = 'phones';
export const AGENT_CONTEXT = 'switchboard';
export const AUDIOSOCKET_CONTEXT = 'switchboard-audiosocket';

/** What an administrator adds to the dial plan; docs/asterisk.md shows the same lines. `1001` is whoever answers while the agent is away. */
export const AGENT_DIAL_PLAN = `[switchboard]
exten => inbound,1,NoOp(the agent answers)
 same => n,Dial(WebSocket/switchboard/nc(ulaw)f(json)v(caller=\${URIENCODE(\${CALLERID(num)})},called=\${URIENCODE(\${CALLERID(dnid)})},uniqueid=\${UNIQUEID},channel=\${URIENCODE(\${CHANNEL})}))
 same => n,GotoIf($["\${DIALSTATUS}" = "ANSWER"]?done)
 same => n,Dial(PJSIP/1001,20)
 same => n(done),Hangup()
exten => outbound,1,NoOp(the agent has called, and was answered)
 same => n,Dial(WebSocket/switchboard/c(ulaw)f(json)v(ref=\${URIENCODE(\${SWITCHBOARD_REF})},uniqueid=\${UNIQUEID}))
 same => n,Hangup()
exten => sorry,1,NoOp(the agent is in trouble)
 same => n,Playback(sorry-youre-having-problems&vm-goodbye)
 same => n,Hangup()
`;

/** The same for servers without chan_websocket; docs/asterisk.md shows the same lines. */
export const AUDIOSOCKET_DIAL_PLAN = `[switchboard]
exten => inbound,1,Answer()
 same => n,TryExec(AudioSocket(\${UUID()},127.0.0.1:9092))
 same => n,Dial(PJSIP/1001,20)
 same => n,Hangup()
exten => outbound,1,AudioSocket(\${SWITCHBOARD_UUID},127.0.0.1:9092)
 same => n,Hangup()
exten => sorry,1,Playback(sorry-youre-having-problems&vm-goodbye)
 same => n,Hangup()
`;

/** The rights of the account; docs/asterisk.md shows the same. */
export const ACCOUNT_RIGHTS = { read: 'call,reporting,cdr', write: 'call,reporting,originate' };

/** File name → text. */
export function officeFiles(options: OfficeOptions): Readonly<Record<string, string>> {
  const { folder, moduleFolder, dataFolder, rtpPorts } = options;
  return {
    'asterisk.conf': section('directories', {
      astetcdir: `${folder}/etc`,
      astmoddir: moduleFolder,
      astvarlibdir: `${folder}/lib`,
      astdbdir: `${folder}/lib`,
      astkeydir: `${folder}/keys`,
      astdatadir: dataFolder,
      astagidir: `${folder}/lib/agi-bin`,
      astspooldir: `${folder}/spool`,
      astrundir: `${folder}/run`,
      astlogdir: `${folder}/log`,
      astcachedir: `${folder}/cache`,
    }).concat(
      section('options', { nocolor: 'yes', dontwarn: 'yes', live_dangerously: 'no', documentation_language: 'en_US' }),
    ),
    'modules.conf': `[modules]\nautoload = no\n${[...MODULES, ...(options.moreModules ?? [])].map((name) => `load = ${name}.so\n`).join('')}`,
    'logger.conf': '[general]\n[logfiles]\nmessages.log => notice,warning,error\n',
    'rtp.conf': section('general', { rtpstart: rtpPorts.from, rtpend: rtpPorts.to, icesupport: 'no', strictrtp: 'no' }),
    'pjsip.conf': pjsip(options),
    'manager.conf': manager(options),
    'websocket_client.conf': section('switchboard', {
      type: 'websocket_client',
      connection_type: 'per_call_config',
      uri: options.media.url,
      protocols: 'media',
      username: options.media.username,
      password: options.media.password,
      connection_timeout: 500,
      reconnect_interval: 500,
      reconnect_attempts: 2,
      tls_enabled: 'no',
    }),
    'extensions.conf': dialPlan(options),
    'confbridge.conf': `${section('general', {})}${section('office_bridge', { type: 'bridge', max_members: 20, mixing_interval: 20 })}${section('office_user', { type: 'user', quiet: 'yes', music_on_hold_when_empty: 'no', talk_detection_events: 'yes' })}`,
    'queues.conf': section('sales', { strategy: 'ringall', timeout: 10, member: 'PJSIP/1002' }),
    'voicemail.conf': `[general]\nformat = wav\n[default]\n1001 => 4321,Phone 1001\n`,
    'res_parking.conf': section('default', { parkext: 700, parkpos: '701-720', context: 'parkedcalls' }),
    'features.conf': section('featuremap', { blindxfer: '#1', atxfer: '*2' }),
    'cdr.conf': section('general', { enable: 'yes', unanswered: 'yes', congestion: 'yes', batch: 'no' }).concat(
      section('csv', { usegmtime: 'yes', loguniqueid: 'yes', loguserfield: 'yes', newcdrcolumns: 'yes' }),
    ),
    'cdr_manager.conf': section('general', { enabled: 'yes' }),
    'indications.conf': section('general', { country: 'us' }).concat(
      section('us', {
        description: 'United States',
        ringcadence: '2000,4000',
        dial: '350+440',
        busy: '480+620/500,0/500',
        ring: '440+480/2000,0/4000',
      }),
    ),
    ...Object.fromEntries(EMPTY.map((name) => [`${name}.conf`, '[general]\n'])),
    ...options.more,
  };
}

/** Read by some module, and complained of where it is absent. */
const EMPTY = [
  'http',
  'musiconhold',
  'acl',
  'ccss',
  'codecs',
  'dnsmgr',
  'dsp',
  'enum',
  'udptl',
  'cel',
  'stasis',
  'pjproject',
  'sorcery',
  'extconfig',
  'chan_websocket',
];

function section(name: string, values: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}\n`);
  return `[${name}]\n${lines.join('')}\n`;
}

function pjsip({ sipPort, phones }: OfficeOptions): string {
  const phone = (name: string): string =>
    [
      section(name, {
        type: 'endpoint',
        transport: 'udp',
        context: PHONES_CONTEXT,
        disallow: 'all',
        allow: 'ulaw',
        auth: name,
        aors: name,
        callerid: `"Phone ${name}" <${name}>`,
        direct_media: 'no',
        rtp_symmetric: 'yes',
        force_rport: 'yes',
        rewrite_contact: 'yes',
        // Without it a phone hears no packet at all while the agent is silent, and may take the call for dead.
        rtp_keepalive: 1,
        rtp_timeout: 30,
        media_address: '127.0.0.1',
        bind_rtp_to_media_address: 'yes',
        dtmf_mode: 'rfc4733',
      }),
      section(name, { type: 'auth', auth_type: 'userpass', username: name, password: `phone-${name}` }),
      section(name, { type: 'aor', max_contacts: 2, remove_existing: 'yes', default_expiration: 120 }),
    ].join('');
  return section('global', { type: 'global', user_agent: 'Office' })
    .concat(section('udp', { type: 'transport', protocol: 'udp', bind: `127.0.0.1:${sipPort}` }))
    .concat(phones.map(phone).join(''));
}

function manager({ amiPort, certificate }: OfficeOptions): string {
  const account = (
    { username, secret }: OfficeAccount,
    rights: { readonly read: string; readonly write: string },
  ): string =>
    // The last rule that matches wins, so the refusal comes first.
    section(username, { secret, deny: '0.0.0.0/0.0.0.0', permit: '127.0.0.1/255.255.255.255', ...rights }).replace(
      /\n\n$/,
      `\n${['TestEvent', 'VarSet', 'Newexten'].map((name) => `eventfilter(action(exclude),name(${name})) =\n`).join('')}\n`,
    );
  const tls: Readonly<Record<string, string>> = certificate
    ? {
        tlsenable: 'yes',
        tlsbindaddr: `127.0.0.1:${certificate.amiTlsPort}`,
        tlscertfile: certificate.file,
        tlsprivatekey: certificate.keyFile,
      }
    : {};
  return section('general', {
    enabled: 'yes',
    webenabled: 'no',
    port: amiPort,
    bindaddr: '127.0.0.1',
    timestampevents: 'no',
    authlimit: 50,
    ...tls,
  })
    .concat(account(ACCOUNTS.switchboard, ACCOUNT_RIGHTS))
    .concat(account(ACCOUNTS.reader, { read: 'call,reporting', write: 'reporting' }))
    .concat(account(ACCOUNTS.tooMuch, { read: 'all', write: 'all' }));
}

function dialPlan({ phones, audioSocket }: OfficeOptions): string {
  const hints = phones.map((phone) => `exten => ${phone},hint,PJSIP/${phone}\n`).join('');
  // In a context of its own, so that both ways can be tried on one server.
  const older = AUDIOSOCKET_DIAL_PLAN.replace('[switchboard]', `[${AUDIOSOCKET_CONTEXT}]`);
  const slin = audioSocket === undefined ? '' : older.replaceAll('127.0.0.1:9092', audioSocket);
  return `[general]
static = yes
writeprotect = yes

[${PHONES_CONTEXT}]
exten => _1XXX,1,Dial(PJSIP/\${EXTEN},20)
 same => n,Hangup()
${hints}exten => _80XX,1,Answer()
 same => n,ConfBridge(\${EXTEN},office_bridge,office_user)
exten => 8500,1,Queue(sales,,,,30)
exten => *43,1,Answer()
 same => n,Echo()
exten => *97,1,Answer()
 same => n,VoiceMailMain()
; 91001 is 1001, recorded.
exten => _91XXX,1,MixMonitor(2026/in-\${EXTEN:1}-\${UNIQUEID}.wav)
 same => n,Dial(PJSIP/\${EXTEN:1},20)
 same => n,Hangup()
exten => 9000,1,Answer()
 same => n,Playback(demo-congrats)
 same => n,Hangup()
; A phone that calls 7001 talks with the agent; the operator answers while the agent is away.
exten => 7001,1,Goto(${AGENT_CONTEXT},inbound,1)
; An outside line, as far as this office has one: the last digit of the number is a phone. The first trunk is always full, and the one
; who calls may use the office's features, as FreePBX has it.
exten => full,1,Congestion(1)
exten => _+X.,1,Dial(Local/full@${PHONES_CONTEXT}/n,20)
 same => n,Dial(PJSIP/100\${EXTEN:-1},20,T)
 same => n,Hangup()
exten => 7002,1,Goto(${AUDIOSOCKET_CONTEXT},inbound,1)

${slin}
${AGENT_DIAL_PLAN}`;
}
