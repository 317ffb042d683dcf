import { type Dialect, flatTools, gaDialect, transcriptionOf, turnDetection, withAddition } from './dialect.ts';

/**
 * The flat shape of the 2024 beta, which compatible servers still speak. Only what differs from GA is said here; what such a
 * server answers is read like GA, since the reader knows the old names too. OpenAI's own servers refuse this dialect.
 */
export const betaDialect: Dialect = {
  ...gaDialect,
  headers: { 'OpenAI-Beta': 'realtime=v1' },

  configure(settings) {
    return {
      type: 'session.update',
      session: {
        modalities: ['audio', 'text'],
        instructions: settings.instructions,
        voice: settings.voice,
        input_audio_format: 'g711_ulaw',
        output_audio_format: 'g711_ulaw',
        input_audio_noise_reduction: settings.noiseReduction === null ? null : { type: settings.noiseReduction },
        input_audio_transcription: transcriptionOf(settings),
        turn_detection: turnDetection(settings.turn),
        tools: flatTools(settings.tools),
        tool_choice: 'auto',
      },
    };
  },

  configureTurn(turn) {
    return { type: 'session.update', session: { turn_detection: turnDetection(turn) } };
  },

  seed(turn) {
    if (turn.speaker !== 'agent') return gaDialect.seed(turn);
    return {
      type: 'conversation.item.create',
      item: { type: 'message', role: 'assistant', content: [{ type: 'text', text: turn.text }] },
    };
  },

  reply(request, sessionInstructions) {
    return {
      type: 'response.create',
      response: {
        modalities: ['audio', 'text'],
        metadata: { requestId: request.requestId, purpose: request.purpose },
        ...(request.instructions === undefined
          ? {}
          : { instructions: withAddition(sessionInstructions, request.instructions) }),
        ...(request.tools ? {} : { tool_choice: 'none' }),
      },
    };
  },
};
