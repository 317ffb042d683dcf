import { describe, expect, it } from 'vitest';
import { type ConfigSources, complaintsError, loadConfig } from '../../src/config/config.ts';
import { SETTINGS } from '../../src/config/schema.ts';
import { ConfigError } from '../../src/errors.ts';
import { machine, read } from './read.ts';

const complaintsOf = (env: ConfigSources['env']) => read(env).complaints.map((complaint) => complaint.message);

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
