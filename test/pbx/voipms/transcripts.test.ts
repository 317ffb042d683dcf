/** What was said in a recording, against the simulated account. */
import { describe, expect, it } from 'vitest';
import { ConfigError, UpstreamError, UserInputError } from '../../../src/errors.ts';
import { FRONT_DESK, WORKSHOP } from '../../../src/simulator/voipms/seed.ts';
import { office, refusal, type TestOffice } from './office.ts';

/** Written down by the vendor; not written down; one of two that began within a second. */
const [WRITTEN, UNWRITTEN, TWIN] = ['cmVjb3JkaW5nLTE9MQ==', 'cmVjb3JkaW5nLTI9Mg==', 'cmVjb3JkaW5nLTQ9NA=='];

function model() {
  const sounds: Uint8Array[] = [];
  return {
    sounds,
    transcribe: async ({ bytes, mimeType }: { bytes: Uint8Array; mimeType: string }) => {
      sounds.push(bytes);
      return { text: ` A sound of ${mimeType}. `, model: 'whisper-1', language: 'en' };
    },
  };
}
const ask = ({ voipms }: TestOffice, recording = WRITTEN, date?: string, account = FRONT_DESK) =>
  voipms.transcript({ account, recording, date });

describe('the transcript of a recording', () => {
  it('is the vendor’s, where one of it belongs to the recording', async () => {
    const { transcribe, sounds } = model();
    const one = await office({ transcribe });
    expect(await ask(one)).toEqual({
      account: FRONT_DESK,
      recording: WRITTEN,
      source: 'voipms',
      how: 'same account, begun 1 s apart, same duration, and its number among the speakers',
      stored: false,
      language: 'en-US',
      lines: [
        { speaker: '1', atSeconds: 2, text: 'Good morning, this is the office.' },
        { speaker: '2', atSeconds: 5, text: 'Hello, I am calling about order 1.' },
        { speaker: '1', atSeconds: 10, text: 'It is ready. Thank you, goodbye.' },
      ],
      warnings: [],
    });
    expect(sounds).toEqual([]);
  });

  it('needs no sound where the day is given', async () => {
    const one = await office();
    for (const date of ['2026-11-26', '2026-11-25', '2026-11-27']) {
      one.kept.clear();
      expect(await ask(one, WRITTEN, date)).toMatchObject({ source: 'voipms' });
      expect(one.asked()).toEqual(['getCallRecordings', 'getCallTranscriptions']);
    }
    expect(await ask(one, WRITTEN, '2026-01-01')).toMatchObject({ source: 'voipms', stored: true });
    one.kept.clear();
    expect(await ask(one, WRITTEN, '2026-01-01')).toMatchObject({ source: 'voipms' });
    expect(await refusal(ask(one, UNWRITTEN, 'yesterday'))).toBeInstanceOf(UserInputError);
  });

  it.each(['empty-list', 'no-field', 'no_recording'] as const)(
    'is made out of the sound where the vendor has none (%s)',
    async (noTranscriptions) => {
      const { transcribe, sounds } = model();
      const one = await office({ transcribe });
      one.account.faults.noTranscriptions = noTranscriptions;
      one.account.state.transcriptions = [];
      expect(await ask(one)).toEqual({
        account: FRONT_DESK,
        recording: WRITTEN,
        source: 'openai',
        how: 'written down by whisper-1 out of the recording',
        stored: false,
        language: 'en',
        lines: [{ speaker: null, atSeconds: null, text: 'A sound of audio/mpeg.' }],
        warnings: [],
      });
      expect(sounds).toHaveLength(1);
      expect(one.asked().filter((method) => method === 'getCallRecording')).toHaveLength(1);
    },
  );

  it('is made out of the sound where the vendor’s has no words (yet)', async () => {
    const { transcribe } = model();
    const one = await office({ transcribe });
    const [written] = one.account.state.transcriptions;
    one.account.state.transcriptions = written === undefined ? [] : [{ ...written, phrases: [] }];
    expect(await ask(one)).toMatchObject({
      source: 'openai',
      lines: [{ text: 'A sound of audio/mpeg.' }],
      warnings: [expect.stringMatching(/without a word/)],
    });
    const two = await office();
    two.account.state.transcriptions = one.account.state.transcriptions;
    expect(await refusal(ask(two))).toBeInstanceOf(ConfigError);
    expect(two.kept.size).toBe(0);
  });

  it('is none of several that could be it', async () => {
    const { transcribe } = model();
    const one = await office({ transcribe });
    const transcript = await ask(one, TWIN, undefined, WORKSHOP);
    expect(transcript.source).toBe('openai');
    expect(transcript.warnings).toEqual([expect.stringMatching(/2 transcripts of VoIP\.ms could be.*none of them/)]);
    const without = await refusal(ask(await office(), TWIN, undefined, WORKSHOP));
    expect(without).toBeInstanceOf(ConfigError);
    expect(without.message).toMatch(/none of them was chosen.*OPENAI_API_KEY/);
  });

  it('cannot be had without a model where the vendor has none', async () => {
    const one = await office();
    const error = await refusal(ask(one, UNWRITTEN));
    expect(error).toMatchObject({ name: 'ConfigError', settings: ['OPENAI_API_KEY'] });
    expect(one.kept.size).toBe(0);
  });

  it('is made although the vendor refuses to tell its own', async () => {
    const { transcribe } = model();
    const one = await office({ transcribe });
    one.account.faults.trouble = { getCallTranscriptions: { status: 'invalid_method' } };
    const transcript = await ask(one);
    expect(transcript).toMatchObject({ source: 'openai', warnings: [expect.stringMatching(/gave no transcripts/)] });
    one.account.faults.trouble = { getCallTranscriptions: { status: 'api_not_enabled' } };
    expect(await refusal(ask(one, UNWRITTEN))).toBeInstanceOf(ConfigError);
  });

  it('is made once, whoever asks how often, and is kept', async () => {
    const { transcribe, sounds } = model();
    const one = await office({ transcribe });
    const both = await Promise.all([ask(one, UNWRITTEN), ask(one, ` ${UNWRITTEN} `)]);
    expect(both[0]).toEqual(both[1]);
    const again = await ask(one, UNWRITTEN);
    expect(again).toEqual({ ...both[0], stored: true });
    expect(sounds).toHaveLength(1);
    // Another account's recording of the same id is another recording.
    expect(await refusal(ask(one, UNWRITTEN, undefined, WORKSHOP))).toBeInstanceOf(UserInputError);
  });

  it('is made anew where what was kept is spoilt, and given although it cannot be kept', async () => {
    const { transcribe } = model();
    const one = await office({ transcribe });
    await ask(one, UNWRITTEN);
    for (const key of one.kept.keys()) one.kept.set(key, '{"lines":');
    expect(await ask(one, UNWRITTEN)).toMatchObject({ stored: false });
    const full = new UpstreamError('A transcript could not be written or read: the disk is full.', {
      retryable: false,
    });
    const two = await office({
      transcribe,
      transcripts: { load: async () => null, save: () => Promise.reject(full) },
    });
    expect(await ask(two, UNWRITTEN)).toMatchObject({
      source: 'openai',
      warnings: [expect.stringMatching(/could not be kept.*made anew/)],
    });
    expect(two.logs.join()).toContain('could not be kept');
  });

  it('that fails is tried anew when it is asked for again', async () => {
    let fails = true;
    const one = await office({
      transcribe: async () => {
        if (fails) throw new UpstreamError('The model did not answer.', { retryable: true });
        return { text: 'Hello.', model: 'whisper-1', language: null };
      },
    });
    expect((await refusal(ask(one, UNWRITTEN))).message).toBe('The model did not answer.');
    fails = false;
    expect(await ask(one, UNWRITTEN)).toMatchObject({ stored: false, lines: [{ text: 'Hello.' }] });
  });
});
