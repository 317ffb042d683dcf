import { describe, expect, it } from 'vitest';
import { createOpenAiModel } from '../../src/models/openai/model.ts';
import { systemClock } from '../../src/switchboard/clock.ts';
import { checkVoice } from '../../src/switchboard/requests.ts';

const modelAt = (url: string) =>
  createOpenAiModel({
    apiKey: 'sk-test',
    url,
    model: 'gpt-realtime-2.1',
    dialect: 'ga',
    transcriptionModel: 'off',
    noiseReduction: 'off',
    turnDetection: 'server_vad',
    vadThreshold: 0.5,
    clock: systemClock,
  });

describe('a voice', () => {
  it('that OpenAI does not have is refused before anything is dialled, with those that it has', () => {
    const { voices } = modelAt('wss://api.openai.com/v1/realtime');
    expect(() => checkVoice('gandalf', voices)).toThrow(
      /"gandalf" is no voice of the speech model. Choose one of alloy, /,
    );
    expect(() => checkVoice('marin', voices)).not.toThrow();
  });

  it('of another server is that server’s to know', () => {
    const { voices } = modelAt('wss://speech.example.com/v1/realtime');
    expect(() => checkVoice('gandalf', voices)).not.toThrow();
  });
});
