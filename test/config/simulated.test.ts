import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { keptApart, leadsToSimulators } from '../../src/config/simulated.ts';

const REAL = {
  DATA_DIR: '/data',
  HOST: '0.0.0.0',
  PUBLIC_URL: 'https://calls.example.com',
  TWILIO_API_BASE_URL: 'https://proxy.example.com',
  TWILIO_API_KEY: `SK${'0'.repeat(32)}`,
  TWILIO_API_SECRET: 'a-secret',
  OPENAI_API_KEY: 'a-key',
  OPENAI_REALTIME_MODEL: 'a-deployment',
  OPENAI_REALTIME_DIALECT: 'beta',
};
const SIMULATED = {
  TWILIO_API_BASE_URL: 'http://127.0.0.1:4010',
  OPENAI_WEBSOCKET_URL: 'ws://127.0.0.1:4011/v1/realtime',
};

function configOf(env: Readonly<Record<string, string>>, argv: readonly string[] = ['--simulate']) {
  const { config, complaints } = readConfig({ env, argv });
  expect(complaints).toEqual([]);
  return config;
}

describe('the settings of simulated calls', () => {
  it('are those of simulators only when both services are on this machine', () => {
    expect(leadsToSimulators(configOf(REAL))).toBe(false);
    expect(leadsToSimulators(configOf({ ...REAL, OPENAI_WEBSOCKET_URL: SIMULATED.OPENAI_WEBSOCKET_URL }))).toBe(false);
    expect(leadsToSimulators(configOf({ ...REAL, TWILIO_API_BASE_URL: SIMULATED.TWILIO_API_BASE_URL }))).toBe(false);
    expect(leadsToSimulators(configOf(SIMULATED))).toBe(true);
  });

  it('take nothing of a real account, and keep a store of their own', () => {
    expect(keptApart(configOf(REAL))).toMatchObject({
      dataDir: '/data/simulated',
      host: '127.0.0.1',
      publicUrl: null,
      twilioApiKey: null,
      twilioApiSecret: null,
      openaiRealtimeDialect: 'ga',
      openaiRealtimeModel: 'gpt-realtime-2.1',
    });
  });

  it('leave the telephones of an office alone', () => {
    const office = { AMI_HOST: 'pbx.example.com', AMI_USERNAME: 'switchboard', AMI_SECRET: 'a-secret-of-ami' };
    const records = { CDR_DATABASE_URL: 'csv:/records.csv', ASTERISK_AUDIOSOCKET: '127.0.0.1:9092' };
    expect(keptApart(configOf({ ...REAL, ...office, ...records }))).toMatchObject({
      ...{ amiHost: null, amiUsername: null, amiSecret: null },
      ...{ cdrDatabaseUrl: null, asteriskAudioSocket: null },
    });
  });

  it('leave a 3CX and a VoIP.ms elsewhere alone, also where the telephone and the model are simulated ones', () => {
    const threecx = { PBX_CLIENT_ID: '8000', PBX_CLIENT_SECRET: 'a-secret', PBX_DEFAULT_EXTENSION: '100' };
    const voipms = { VOIPMS_API_USERNAME: 'owner@example.com', VOIPMS_API_PASSWORD: 'a-password' };
    for (const others of [REAL, { ...REAL, ...SIMULATED }]) {
      const real = { ...others, ...threecx, ...voipms, PBX_FQDN: 'pbx.example.com' };
      expect(keptApart(configOf(real))).toMatchObject({ pbxFqdn: null, voipmsApiUsername: null });
      const here = { VOIPMS_API_URL: 'http://127.0.0.1:4021', OPENAI_API_URL: 'http://127.0.0.1:4022' };
      const simulated = { ...real, ...here, PBX_FQDN: 'http://127.0.0.1:4020' };
      expect(keptApart(configOf(simulated))).toMatchObject({
        pbxFqdn: 'http://127.0.0.1:4020',
        voipmsApiUsername: 'owner@example.com',
      });
    }
  });

  it('leave a 3CX alone that runs on this machine, which a simulated one is told from by its plain http', () => {
    for (const PBX_FQDN of ['localhost:5001', 'https://127.0.0.1:5001'])
      expect(keptApart(configOf({ PBX_FQDN, PBX_CLIENT_ID: '8000' })), PBX_FQDN).toMatchObject({
        pbxFqdn: null,
        pbxClientId: null,
      });
  });

  it('are left as they are for real calls, and for a simulated world that runs already', () => {
    const real = configOf(REAL, []);
    expect(keptApart(real)).toBe(real);
    const running = configOf({ ...REAL, ...SIMULATED });
    expect(keptApart(running)).toEqual(running);
  });
});
