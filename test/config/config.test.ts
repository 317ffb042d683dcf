import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { envExample } from '../../src/config/env-example.ts';
import { machine, read } from './read.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchboard-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
