import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type ConfigSources,
  complaintsError,
  loadConfig,
  missingForCalls,
  readConfig,
  requireForCalls,
  secretsOf,
  usualVia,
} from '../../src/config/config.ts';
import { envExample } from '../../src/config/env-example.ts';
import { SETTINGS } from '../../src/config/schema.ts';
import { ConfigError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const machine = { platform: 'linux', home: '/home/somebody' } as const;
const read = (env: ConfigSources['env'], more: Partial<ConfigSources> = {}) => readConfig({ env, machine, ...more });
const complaintsOf = (env: ConfigSources['env']) => read(env).complaints.map((complaint) => complaint.message);

const COMPLETE = {
  PUBLIC_URL: 'https://calls.example.com',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'twilio-token',
  TWILIO_NUMBER: '+14155550100',
  OPENAI_API_KEY: 'openai-key',
};

describe('the settings', () => {
  it('have the documented defaults when nobody sets anything, and that is no error', () => {
    expect(loadConfig({ env: {}, machine })).toEqual({
      publicUrl: null,
      preflight: true,
      pricesFile: null,
      twilioAccountSid: null,
      twilioAuthToken: null,
      twilioAuthTokenSecondary: null,
      twilioApiKey: null,
      twilioApiSecret: null,
      twilioNumber: null,
      twilioApiBaseUrl: null,
      openaiApiKey: null,
      openaiWebsocketUrl: 'wss://api.openai.com/v1/realtime',
      openaiRealtimeModel: 'gpt-realtime-2.1',
      openaiVoice: 'sage',
      openaiRealtimeDialect: 'ga',
      openaiTranscriptionModel: 'gpt-transcribe',
      openaiNoiseReduction: 'near_field',
      turnDetection: 'server_vad',
      vadThreshold: 0.5,
      vadSilenceMs: 500,
      host: '127.0.0.1',
      port: 3004,
      mcpHost: '127.0.0.1',
      mcpPort: 8787,
      privateListener: false,
      toolsets: [],
      tools: [],
      excludeTools: [],
      readOnly: false,
      confirmCalls: 'never',
      mcpUrl: null,
      mcpAuthToken: null,
      mcpTokensFile: null,
      mcpAllowQueryToken: false,
      mcpAllowedHosts: [],
      mcpAllowedOrigins: [],
      mcpRequestsPerMinute: 600,
      oauthIssuer: null,
      oauthAudience: null,
      oauthJwksUrl: null,
      dataDir: '/home/somebody/.local/share/switchboard',
      logLevel: 'info',
      maxConcurrentCalls: 20,
      maxCallsPerHour: 60,
      allowedNumbers: [],
      blockedNumbers: [],
      ringTimeoutSeconds: 30,
      firstSpeechSeconds: 3,
      silenceSeconds: 15,
      maxCallSeconds: 900,
      aiDisclosure: true,
      recordCalls: false,
      twilioRecording: false,
      amiHost: null,
      amiPort: 5038,
      amiUsername: null,
      amiSecret: null,
      amiTls: false,
      amiTlsCa: null,
      asteriskContext: 'from-internal',
      asteriskCountry: 'US',
      asteriskPlus: '+',
      asteriskChangesPerMinute: 30,
      asteriskMediaUsername: null,
      asteriskMediaPassword: null,
      asteriskAgentContext: 'switchboard',
      asteriskAudioSocket: null,
      asteriskRecordingsDir: null,
      cdrDatabaseUrl: null,
      cdrTable: 'cdr',
      pbxFqdn: null,
      pbxClientId: null,
      pbxClientSecret: null,
      pbxDefaultExtension: null,
      pbxCountry: 'US',
      pbxChangesPerMinute: 30,
      pbxUsername: null,
      pbxPassword: null,
      voipmsApiUsername: null,
      voipmsApiPassword: null,
      voipmsApiUrl: 'https://voip.ms/api/v1/rest.php',
      voipmsSmsNumber: null,
      voipmsEmailRecipients: [],
      voipmsChangesPerMinute: 30,
      openaiApiUrl: 'https://api.openai.com/v1',
      openaiRecordingModel: 'gpt-transcribe',
      inboundContext: null,
      retainDays: 0,
      simulate: false,
    });
  });

  it('are taken from flags before the environment before the file', () => {
    const dotenvFile = join(folder, 'order.env');
    writeFileSync(dotenvFile, 'PORT=1\nMCP_PORT=1\nOPENAI_VOICE="ash" # a comment\nHOST=\n');
    const { config } = read({ PORT: '2', MCP_PORT: '2' }, { dotenvFile, argv: ['--port', '3'] });
    expect(config).toMatchObject({ port: 3, mcpPort: 2, openaiVoice: 'ash', host: '127.0.0.1' });
  });

  it('take a reference that a client could not resolve for a setting that nobody has set', () => {
    const env = { OPENAI_VOICE: `\${user_config.openai_voice}`, PORT: `\${user_config.port}` };
    expect(read(env)).toEqual(read({}));
    const lost = read({ BLOCKED_NUMBERS: `\${BLOCKED}`, READ_ONLY: `\${RO}` });
    expect(new Set(lost.complaints.map(({ setting }) => setting))).toEqual(new Set(['BLOCKED_NUMBERS', 'READ_ONLY']));
  });

  it('read the file that --settings names, which then must be there', () => {
    const path = join(folder, 'office.env');
    writeFileSync(path, 'OPENAI_VOICE=ash\n');
    expect(read({}, { argv: ['--settings', path] }).config.openaiVoice).toBe('ash');
    expect(read({}, { argv: [`--settings=${path}`] }).config.openaiVoice).toBe('ash');
    const missing = read({}, { argv: ['--settings', join(folder, 'none.env')] });
    expect(missing.complaints[0]?.message).toMatch(/file of --settings .*none\.env.* could not be read \(ENOENT\)/);
    expect(read({}, { argv: ['--settings'] }).complaints[0]?.message).toBe('--settings needs a value.');
  });

  it('do without a file that does not exist, and complain of one that cannot be read', () => {
    expect(read({}, { dotenvFile: join(folder, 'none.env') }).complaints).toEqual([]);
    expect(read({}, { dotenvFile: folder }).complaints[0]?.message).toContain('.env could not be read (EISDIR)');
  });

  it('are frozen, lists too', () => {
    const { config } = read({ ALLOWED_NUMBERS: '+1' });
    expect(() => Object.assign(config, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.allowedNumbers, { 0: '+2' })).toThrow(TypeError);
  });

  it('read numbers, switches and lists', () => {
    const env = {
      VAD_THRESHOLD: '0.35',
      AI_DISCLOSURE: 'No',
      RECORD_CALLS: '1',
      BLOCKED_NUMBERS: ' +1 (900), ,+44 70 ',
      TWILIO_NUMBER: '+1 (415) 555-0100',
    };
    expect(read(env)).toMatchObject({
      config: {
        vadThreshold: 0.35,
        aiDisclosure: false,
        recordCalls: true,
        blockedNumbers: ['+1900', '+4470'],
        twilioNumber: '+14155550100',
      },
      complaints: [],
    });
  });
});

describe('the settings of 3CX', () => {
  const address = (PBX_FQDN: string) => read({ PBX_FQDN });

  it('take a host name, with or without a port, or a whole address', () => {
    expect(address('pbx.example.com').config.pbxFqdn).toBe('https://pbx.example.com');
    expect(address('pbx.example.com:5001').config.pbxFqdn).toBe('https://pbx.example.com:5001');
    expect(address('https://pbx.example.com:5001/').config.pbxFqdn).toBe('https://pbx.example.com:5001');
    expect(address('http://127.0.0.1:4020').config.pbxFqdn).toBe('http://127.0.0.1:4020');
  });

  it.each([
    ['http://pbx.example.com', /must be a host name/],
    ['ftp://pbx.example.com', /must be a host name/],
    ['https://me:hidden@pbx.example.com', /user name or password/],
    ['pbx.example.com/webclient', /without a path/],
  ])('refuse %s', (given, reason) => {
    const { config, complaints } = address(given);
    expect(config.pbxFqdn).toBeNull();
    expect(complaints.map(({ message }) => message).join()).toMatch(reason);
    expect(complaints.map(({ message }) => message).join()).not.toContain('hidden');
  });

  it('make calls go over 3CX where nothing else is set up', () => {
    const env = {
      PBX_FQDN: 'pbx.example.com',
      PBX_CLIENT_ID: '8000',
      PBX_CLIENT_SECRET: 'a-secret',
      OPENAI_API_KEY: 'k',
    };
    expect(usualVia(read(env).config)).toBe('3cx');
    expect(usualVia(read({ ...env, ...COMPLETE }).config)).toBe('twilio');
    expect(() => requireForCalls(read({ PBX_FQDN: 'pbx.example.com' }).config, [], '3cx')).toThrow(
      /over 3CX cannot be placed yet: PBX_CLIENT_ID, PBX_CLIENT_SECRET, OPENAI_API_KEY are not set/,
    );
  });
});

describe('complaints', () => {
  it('are told all at once, each naming its setting, the bad value and what to do', () => {
    const env = { PORT: 'abc', LOG_LEVEL: 'loud', PUBLIC_URL: 'calls.example.com', MAX_CALL_SECONDS: '999999' };
    const load = () => loadConfig({ env, machine });
    expect(load).toThrow(ConfigError);
    const error = complaintsError(read(env).complaints);
    expect(error.settings).toEqual(['PUBLIC_URL', 'PORT', 'LOG_LEVEL', 'MAX_CALL_SECONDS']);
    expect(error.message.split('\n')).toEqual([
      'PUBLIC_URL must be an address that begins with https://, such as https://calls.example.com; it is "calls.example.com".',
      'PORT must be a whole number from 0 to 65535; it is "abc".',
      'LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent; it is "loud".',
      'MAX_CALL_SECONDS must be a whole number from 10 to 14400; it is "999999".',
    ]);
  });

  it('leave a lenient reading with the default in place of the bad value', () => {
    expect(read({ PORT: '-1', MCP_PORT: '80' }).config).toMatchObject({ port: 3004, mcpPort: 80 });
  });

  it('never show a secret', () => {
    const bad = 'not one word';
    const env = Object.fromEntries(
      Object.values(SETTINGS)
        .filter((setting) => setting.secret)
        .map((setting) => [setting.name, bad]),
    );
    const told = complaintsOf({ ...env, PUBLIC_URL: 'https://user:hidden@example.com' });
    expect(told).toHaveLength(Object.keys(env).length + 1);
    expect(told.join('\n')).not.toContain(bad);
    expect(told.join('\n')).not.toContain('hidden');
  });

  it.each([['0x10'], ['1e3'], ['-5'], ['1.5'], ['65536'], ['١'], ['NaN'], ['Infinity']])(
    'refuse %s as a port',
    (value) => {
      expect(complaintsOf({ PORT: value })).toHaveLength(1);
    },
  );

  it('name the half of a pair that is missing', () => {
    expect(complaintsOf({ TWILIO_API_KEY: `SK${'0'.repeat(32)}` })).toEqual([
      'TWILIO_API_SECRET must be set as well when TWILIO_API_KEY is set.',
    ]);
  });

  it('keep the private listener at home unless it has a token', () => {
    const open = read({ MCP_HOST: '0.0.0.0' });
    expect(open.complaints[0]?.message).toContain('set MCP_AUTH_TOKEN');
    expect(open.config.mcpHost).toBe('127.0.0.1');
    expect(read({ MCP_HOST: '0.0.0.0', MCP_AUTH_TOKEN: 'x'.repeat(16) })).toMatchObject({
      complaints: [],
      config: { mcpHost: '0.0.0.0' },
    });
    expect(read({ MCP_HOST: '0.0.0.0', MCP_TOKENS_FILE: '/nowhere/tokens.json' }).complaints).toEqual([]);
    const MCP_URL = 'https://mcp.example.com';
    const led = read({ MCP_URL });
    expect(led.complaints[0]?.message).toContain('would let all of them in');
    expect(led.config.mcpUrl).toBeNull();
    expect(read({ MCP_URL, MCP_AUTH_TOKEN: 'x'.repeat(16) }).complaints).toEqual([]);
  });

  it('accept an OAuth issuer only where it is known for whom its tokens are meant', () => {
    const OAUTH_ISSUER = 'https://issuer.example.com/';
    const alone = read({ OAUTH_ISSUER });
    expect(alone.complaints[0]?.message).toContain('set MCP_URL, or OAUTH_AUDIENCE');
    expect(alone.config.oauthIssuer).toBeNull();
    expect(read({ OAUTH_ISSUER, MCP_URL: 'https://mcp.example.com/' })).toMatchObject({
      complaints: [],
      config: { oauthIssuer: 'https://issuer.example.com', oauthAudience: 'https://mcp.example.com/mcp' },
    });
    expect(read({ OAUTH_ISSUER, OAUTH_AUDIENCE: 'a-plain-id', MCP_HOST: '0.0.0.0' })).toMatchObject({
      complaints: [],
      config: { oauthAudience: 'a-plain-id', mcpHost: '0.0.0.0' },
    });
  });
});

describe('PUBLIC_URL', () => {
  it.each([
    ['https://calls.example.com', 'https://calls.example.com'],
    ['https://calls.example.com/', 'https://calls.example.com'],
    ['https://calls.example.com:8443//', 'https://calls.example.com:8443'],
    ['https://example.com/voice/', 'https://example.com/voice'],
    ['HTTPS://Calls.Example.COM', 'https://calls.example.com'],
    ['http://localhost:3004', 'http://localhost:3004'],
    ['http://127.0.0.1:3004/', 'http://127.0.0.1:3004'],
    ['http://[::1]:3004', 'http://[::1]:3004'],
  ])('accepts %s', (given, expected) => {
    expect(read({ PUBLIC_URL: given })).toMatchObject({ complaints: [], config: { publicUrl: expected } });
  });

  it.each([
    ['http://calls.example.com'],
    ['http://127.0.0.1.example.com'],
    ['http://localhost.example.com'],
    ['wss://calls.example.com'],
    ['https://calls.example.com/?a=b'],
    ['https://calls.example.com/#top'],
    ['https://calls.example.com/call/outgoing'],
    ['https://user@calls.example.com'],
    ['https://'],
    ['ftp://localhost'],
  ])('refuses %s', (given) => {
    const { config, complaints } = read({ PUBLIC_URL: given });
    expect(complaints).toHaveLength(1);
    expect(config.publicUrl).toBeNull();
  });
});

describe('addresses of services', () => {
  it('must be encrypted except on this machine', () => {
    expect(
      complaintsOf({ OPENAI_WEBSOCKET_URL: 'ws://example.com', TWILIO_API_BASE_URL: 'http://example.com' }),
    ).toHaveLength(2);
    const env = {
      OPENAI_WEBSOCKET_URL: 'ws://127.0.0.1:1/v1/realtime?x=y',
      TWILIO_API_BASE_URL: 'http://localhost:2/',
    };
    expect(read(env)).toMatchObject({
      complaints: [],
      config: { openaiWebsocketUrl: 'ws://127.0.0.1:1/v1/realtime?x=y', twilioApiBaseUrl: 'http://localhost:2' },
    });
  });
});

describe('the data folder', () => {
  it.each([
    ['linux', {}, '/home/somebody/.local/share/switchboard'],
    ['linux', { XDG_DATA_HOME: '/data' }, '/data/switchboard'],
    ['linux', { XDG_DATA_HOME: 'relative' }, '/home/somebody/.local/share/switchboard'],
    ['linux', { DATA_DIR: '~/calls' }, '/home/somebody/calls'],
    ['linux', { DATA_DIR: '/srv/calls/' }, '/srv/calls'],
    ['darwin', {}, '/home/somebody/Library/Application Support/Switchboard'],
    ['win32', { LOCALAPPDATA: 'C:\\Data' }, 'C:\\Data\\Switchboard'],
  ] as const)('on %s with %j is %s', (platform, env, expected) => {
    expect(read(env, { machine: { ...machine, platform } }).config.dataDir).toBe(expected);
  });
});

describe('the command line', () => {
  it('gives settings by their names and leaves the rest to the command', () => {
    const argv = [
      'call',
      '--simulate',
      '+14155550123',
      '--data-dir=/tmp/x',
      '--log-level',
      'debug',
      '--record-calls',
      '--ai-disclosure',
      'false',
      '--json',
      '--',
      '--port',
      '1',
    ];
    const { config, rest, complaints } = read({}, { argv });
    expect(complaints).toEqual([]);
    expect(config).toMatchObject({
      simulate: true,
      dataDir: '/tmp/x',
      logLevel: 'debug',
      recordCalls: true,
      aiDisclosure: false,
      port: 3004,
    });
    expect(rest).toEqual(['call', '+14155550123', '--json', '--', '--port', '1']);
  });

  it('starts the private listener with --http, as PRIVATE_LISTENER does', () => {
    expect(read({}).config.privateListener).toBe(false);
    expect(read({}, { argv: ['--http', '--simulate'] })).toMatchObject({ config: { privateListener: true }, rest: [] });
    expect(read({ PRIVATE_LISTENER: 'true' }).config.privateListener).toBe(true);
  });

  it('takes no secrets, and says where they belong', () => {
    const { config, rest, complaints } = read(
      {},
      { argv: ['--openai-api-key', 'hush', '--twilio-auth-token=hush', '--port'] },
    );
    expect(config).toMatchObject({ openaiApiKey: null, twilioAuthToken: null });
    expect(complaints.map((complaint) => complaint.setting)).toEqual(['OPENAI_API_KEY', 'TWILIO_AUTH_TOKEN', 'PORT']);
    expect(JSON.stringify([rest, complaints])).not.toContain('hush');
  });

  it('is the only way to the simulators', () => {
    expect(read({ SIMULATE: 'true', SWITCHBOARD_SIMULATE: '1' }).config.simulate).toBe(false);
  });
});

describe('what calls need', () => {
  it('is complete with five settings, or with the simulators', () => {
    expect(missingForCalls(read(COMPLETE).config)).toEqual([]);
    expect(() => requireForCalls(read(COMPLETE).config)).not.toThrow();
    expect(() => requireForCalls(read({}, { argv: ['--simulate'] }).config)).not.toThrow();
  });

  it('is named in one sentence that says what to do, after the complaints', () => {
    const { config, complaints } = read({ ...COMPLETE, OPENAI_API_KEY: '', TWILIO_NUMBER: '555' });
    expect(missingForCalls(config)).toEqual(['TWILIO_NUMBER', 'OPENAI_API_KEY']);
    const attempt = () => requireForCalls(config, complaints);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(
      /^TWILIO_NUMBER must be a telephone number .*\nCalls cannot be placed yet: OPENAI_API_KEY is not set\. Set what is missing/,
    );
  });

  it('is that of Asterisk where only Asterisk has been begun, and of Twilio where an account of it is there', () => {
    const office = { AMI_HOST: 'pbx.example.com', AMI_USERNAME: 'switchboard', AMI_SECRET: 'a-secret-of-ami' };
    const tools = read(office).config;
    expect(usualVia(tools)).toBe('twilio');
    const begun = { ...office, ASTERISK_MEDIA_USERNAME: 'asterisk' };
    expect(missingForCalls(read(begun).config)).toEqual(['ASTERISK_MEDIA_PASSWORD', 'OPENAI_API_KEY']);
    expect(usualVia(read({ ...begun, TWILIO_NUMBER: '+14155550100' }).config)).toBe('twilio');
    expect(usualVia(read({ ...COMPLETE, ...begun, ASTERISK_MEDIA_PASSWORD: 'media-password-16' }).config)).toBe(
      'twilio',
    );
  });

  it('includes good guard rails: a list that cannot be read stops calls', () => {
    const { config, complaints } = read({ ...COMPLETE, BLOCKED_NUMBERS: '900' });
    expect(() => requireForCalls(config, complaints)).toThrow(/BLOCKED_NUMBERS/);
  });
});

describe('secretsOf', () => {
  it('gives every secret that is set, and nothing else', () => {
    const env = {
      ...COMPLETE,
      TWILIO_AUTH_TOKEN_SECONDARY: 'second',
      MCP_AUTH_TOKEN: 'sixteen-letters-x',
      OPENAI_VOICE: 'ash',
    };
    expect([...secretsOf(read(env).config)].sort()).toEqual([
      'openai-key',
      'second',
      'sixteen-letters-x',
      'twilio-token',
    ]);
  });
});

describe('.env.example', () => {
  it('is what the schema says (run: node scripts/env-example.ts)', () => {
    expect(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')).toBe(envExample());
  });

  it('can be used as it is', () => {
    const dotenvFile = join(folder, 'example.env');
    const uncommented = envExample().replace(/^# ([A-Z_]+=)/gm, '$1');
    writeFileSync(dotenvFile, uncommented);
    const { given, ...rest } = read({}, { dotenvFile });
    expect({ ...rest, given: [] }).toEqual(read({}));
    expect(given).toContain('VAD_SILENCE_MS');
  });
});
