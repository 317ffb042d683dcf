/** What a request to place a call means, or a sentence about what is wrong with it. */
import { createHash } from 'node:crypto';
import type { Brief, Limits, Via } from '../call/words.ts';
import { UserInputError } from '../errors.ts';
import type { NewCall } from '../store/store.ts';
import type { OpenedCall } from './opened-call.ts';
import { checkDuration, checkExtension, checkNumber } from './policy.ts';
import type { PlaceRequest } from './port.ts';

/** The form of a BCP 47 tag; which languages there are is the model's to know. */
const LANGUAGE_TAG = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$/;

/** @throws UserInputError */
export function briefOf(
  request: PlaceRequest,
  settings: {
    readonly voice: string;
    readonly language: string;
    readonly disclose: boolean;
    readonly record?: boolean;
    readonly allowedNumbers: readonly string[];
    readonly blockedNumbers: readonly string[];
    /** Countries of the offices, whose emergency numbers no extension of theirs may be. */
    readonly officeCountries?: Readonly<Record<Exclude<Via, 'twilio'>, string>>;
  },
  via: Via = 'twilio',
): Brief {
  const isOffice = via !== 'twilio';
  const country = (isOffice ? settings.officeCountries?.[via] : undefined) ?? 'US';
  const isExtension = isOffice && !request.to.trim().startsWith('+');
  const number = isExtension
    ? checkExtension(request.to, country)
    : checkNumber(request.to, { allowed: settings.allowedNumbers, blocked: settings.blockedNumbers });
  if (!number.ok) throw new UserInputError(number.reason);
  const transferTo = (request.transferTo ?? []).map((extension) => {
    const target = checkExtension(extension, country);
    if (!target.ok) throw new UserInputError(target.reason);
    return target.e164;
  });
  if (transferTo.length > 0 && !isOffice)
    throw new UserInputError(
      'Only calls over a telephone system of the office (via "asterisk" or "3cx") can be transferred. Leave transferTo out.',
    );
  const context = request.context.trim();
  if (context === '')
    throw new UserInputError('callContext is empty. Say what the agent shall achieve, and what it may promise.');
  const language = request.language ?? settings.language;
  if (!LANGUAGE_TAG.test(language)) {
    throw new UserInputError(`"${language}" is no language tag. Give one such as en, pt-BR or zh-Hant-TW.`);
  }
  return {
    to: number.e164,
    context,
    language,
    voice: request.voice ?? settings.voice,
    disclose: settings.disclose,
    record: request.record ?? settings.record ?? false,
    ...(transferTo.length > 0 ? { transferTo } : {}),
  };
}

/** A call as it is written down before it is dialled or taken. */
export function newCallOf(
  { callId, brief, carrier, model }: OpenedCall,
  given: Pick<NewCall, 'simulated' | 'createdAtMs' | 'idempotencyKey' | 'fingerprint' | 'carrierCallId'>,
): NewCall {
  const { to, context, language, voice, inbound = false } = brief;
  const { simulated, createdAtMs, idempotencyKey, fingerprint, carrierCallId = null } = given;
  return {
    ...{ callId, carrier: carrier.name, to, context, language, voice, ...model.billed },
    ...{ simulated, inbound, carrierCallId, createdAtMs, idempotencyKey, fingerprint },
  };
}

/** @throws UserInputError when the call would be longer than is allowed */
export function limitsOf(request: PlaceRequest, limits: Limits): Limits {
  const duration = checkDuration(request.maxDurationMs, limits.callMs / 1_000);
  if (!duration.ok) throw new UserInputError(duration.reason);
  return { ...limits, callMs: duration.durationMs };
}

/**
 * A voice that the model does not have would be refused only while the telephone rings.
 * @throws UserInputError
 */
export function checkVoice(voice: string, voices: readonly string[] | undefined): void {
  if (voices === undefined || voices.includes(voice)) return;
  throw new UserInputError(
    `"${voice}" is no voice of the speech model. Choose one of ${voices.join(', ')}, or leave voice out.`,
  );
}

/** Tells one request from another under the same idempotency key. */
export function fingerprintOf(request: PlaceRequest): string {
  const { to, context, language, voice, maxDurationMs, record, via, transferTo } = request;
  const later = via === undefined && transferTo === undefined ? [] : [{ via, transferTo }];
  return createHash('sha256')
    .update(
      JSON.stringify([
        to,
        context,
        language,
        voice,
        maxDurationMs,
        ...(record === undefined ? [] : [record]),
        ...later,
      ]),
    )
    .digest('hex');
}

/** @throws UserInputError when it is no cursor of ours */
export function positionOf(cursor: string): number {
  const value = Number(cursor);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new UserInputError('The cursor is not one that was given out. Leave it out to begin at the start.');
  return value;
}
