import type { ModelFailure } from '../../call/events.ts';
import { betaDialect } from './beta-dialect.ts';
import { gaDialect, type OptionalPart, type SessionSettings } from './dialect.ts';
import { failureOfCode } from './failures.ts';
import { addressOf } from './model.ts';
import { readServerEvent } from './server-events.ts';
import { type Clock, openSocket } from './socket.ts';

export interface ProbeOptions {
  readonly apiKey: string;
  readonly url: string;
  readonly model: string;
  readonly dialect: 'ga' | 'beta';
  /** As calls will ask for them. */
  readonly session: Pick<SessionSettings, 'voice' | 'noiseReduction'> & {
    readonly transcriptionModel: string | null;
    readonly turnDetection: 'server_vad' | 'semantic_vad';
    readonly vadThreshold: number;
  };
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** PEM certificates to trust besides the usual ones. */
  readonly ca?: string | Buffer;
}

/** `code` is the server's own word, or ours for a fault of the network. */
export type ModelProbe =
  /** `without`: what the server refused of the session, and calls go without. */
  | { readonly admitted: true; readonly without: OptionalPart | null }
  | { readonly admitted: false; readonly kind: ModelFailure; readonly code: string | null };

/**
 * Opens a session as calls do, as far as its settings are confirmed, and closes it: nothing is said, so nothing is charged. Never rejects.
 * Key and model are judged after the upgrade, so an open socket says nothing yet (seen on the wire since 2026); the greeting,
 * `session.created`, does (OpenAI docs, "Realtime server events"). An account without credit may still be greeted.
 */
export function probeSession(options: ProbeOptions): Promise<ModelProbe> {
  const dialect = options.dialect === 'beta' ? betaDialect : gaDialect;
  const target = addressOf(options);
  return new Promise((resolve) => {
    const settle = (probe: ModelProbe): void => {
      stopDeadline();
      socket.close();
      resolve(probe);
    };
    const refused = ({ kind, code }: { readonly kind: ModelFailure; readonly code?: string }): void =>
      settle({ admitted: false, kind, code: code ?? null });
    const stopDeadline = options.clock.setTimer(
      () => refused({ kind: 'unreachable', code: 'timeout' }),
      options.timeoutMs,
    );
    const socket = openSocket(
      {
        url: target.url,
        headers: { ...target.headers, ...dialect.headers },
        ca: options.ca,
        heartbeatMs: options.timeoutMs,
        clock: options.clock,
      },
      {
        message: (data) => {
          const message = readServerEvent(data.toString('utf8'));
          if (message.kind === 'created') socket.send(JSON.stringify(dialect.configure(settingsOf(options.session))));
          if (message.kind === 'updated') settle({ admitted: true, without: null });
          if (message.kind !== 'error') return;
          const { code, param, message: words } = message.error;
          const fatal = failureOfCode(code);
          const without = fatal === null ? dialect.optionalPart(param === '' ? words : param) : null;
          if (without === null) refused(fatal ?? { kind: 'configuration', code });
          else settle({ admitted: true, without });
        },
        lost: refused,
      },
    );
  });
}

function settingsOf(session: ProbeOptions['session']): SessionSettings {
  const { voice, noiseReduction, transcriptionModel, turnDetection, vadThreshold } = session;
  return {
    instructions: 'Say nothing.',
    voice,
    tools: [],
    noiseReduction,
    transcription: transcriptionModel === null ? null : { model: transcriptionModel, language: 'en' },
    turn: {
      detection: turnDetection,
      threshold: vadThreshold,
      silenceMs: 500,
      create: false,
      interrupt: false,
      guarded: false,
    },
  };
}
