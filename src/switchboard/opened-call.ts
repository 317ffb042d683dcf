import type { CallPolicy } from '../call/events.ts';
import type { Timing } from '../call/timing.ts';
import type { Brief, CallId, Limits } from '../call/words.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { Model } from '../models/model.ts';
import type { Store } from '../store/store.ts';
import type { Archive } from './archive.ts';
import { type Bridge, createBridge } from './bridge.ts';
import { inCallToolsFor, instructionsFor } from './briefing.ts';
import { type CallLog, logCall } from './call-log.ts';
import type { Clock } from './clock.ts';
import type { Costs } from './costs.ts';
import type { Logger } from './logger.ts';
import type { Meter } from './meter.ts';
import { meterCall } from './metering.ts';
import type { News } from './news.ts';
import type { Rescue } from './rescue.ts';
import { createScribe } from './scribe.ts';
import type { TapMaker } from './tap.ts';

export interface OpenedCall {
  readonly callId: CallId;
  readonly brief: Brief;
  readonly limits: Limits;
  readonly carrier: Carrier;
  readonly model: Model;
}

export interface OpeningParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
  readonly settings: { readonly policy: CallPolicy };
  readonly archive: Archive;
  readonly taps?: readonly TapMaker[];
  readonly call?: Timing | undefined;
  readonly storeRetriesMs?: readonly number[] | undefined;
  readonly rescue: Rescue | undefined;
  readonly hurry: AbortSignal;
  readonly costs: Costs;
  readonly news: News;
}

/** A call that is written down gets its bridge, with everything that listens to it. Nothing has been dialled or taken yet. */
export function openCall(parts: OpeningParts, call: OpenedCall): { readonly bridge: Bridge; readonly log: CallLog } {
  const { callId, brief, limits, carrier, model } = call;
  const { store, clock, logger, meter, settings, archive, rescue, hurry, costs, news } = parts;
  const scribe = createScribe({
    callId,
    store,
    clock,
    logger,
    meter,
    retriesMs: parts.storeRetriesMs,
    rescue,
    hurry,
    onWritten: (kind) => news.tell({ callId, kind }),
    costAtEnd: (used) => costs.atEnd({ carrier, brief, model }, used),
  });
  const dateText = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'short' }).format(clock.wall());
  const log = logCall(callId, logger);
  const listeners = [archive.recorder, ...(parts.taps ?? [])].map((make) =>
    make({ callId, brief, carrier: carrier.name }),
  );
  const taps = [log, meter ? meterCall(meter, clock) : null, ...listeners].filter((tap) => tap !== null);
  const bridge = createBridge({
    callId,
    brief,
    limits,
    policy: settings.policy,
    timing: parts.call,
    instructions: instructionsFor(brief, { dateText, hasKeys: carrier.traits.canSendDigits }),
    tools: inCallToolsFor(brief, carrier.traits),
    carrier,
    model,
    scribe,
    taps,
    clock,
    logger,
  });
  return { bridge, log };
}
