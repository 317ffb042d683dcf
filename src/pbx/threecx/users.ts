/** Extensions: who they are, whether they can be reached, and whether their calls are recorded. */
import { UpstreamError, UserInputError } from '../../errors.ts';
import type { CallControl } from './call-control.ts';
import { flagOf, numberOf, type Row, textOf } from './json.ts';
import { liveCallOf } from './live-calls.ts';
import type { Extension, LiveCall, Page, Presence, RecordingMode, ThreeCxOperations } from './operations.ts';
import { isUncertain, nullOn, uncertain } from './refusals.ts';
import { extensionOf } from './targets.ts';
import { quoted, type Xapi } from './xapi.ts';

/** The whole entity holds passwords and PINs as well (3CX, XAPI swagger, `User`). */
const FIELDS = [
  'Id',
  'Number',
  'FirstName',
  'LastName',
  'DisplayName',
  'EmailAddress',
  'Mobile',
  'Enabled',
  'IsRegistered',
  'CurrentProfileName',
  'QueueStatus',
  'RecordCalls',
  'RecordExternalCallsOnly',
];

export async function listExtensions(
  xapi: Xapi,
  { search, offset, limit }: Parameters<ThreeCxOperations['extensions']>[0],
): Promise<Page<Extension>> {
  const { rows, total, isMore } = await xapi.list(
    '/Users',
    { select: FIELDS, search: searchOf(search), orderby: 'Number', isCounted: true, offset, limit },
    'to list the extensions',
  );
  return { items: rows.map(toExtension), total, isMore };
}

/** As OData wants it: what is more than plain words stands in quotes. */
function searchOf(search: string | undefined): string | undefined {
  const text = search?.trim().slice(0, 80) ?? '';
  if (text === '') return undefined;
  return /^[\p{L}\p{N}]+$/u.test(text) && !/^(AND|OR|NOT)$/.test(text) ? text : `"${text.replaceAll('"', ' ')}"`;
}

function toExtension(row: Row): Extension {
  const name = [textOf(row.FirstName), textOf(row.LastName)].filter((part) => part !== null).join(' ');
  return {
    extension: textOf(row.Number) ?? '',
    name: textOf(row.DisplayName) ?? textOf(name),
    email: textOf(row.EmailAddress),
    mobile: textOf(row.Mobile),
    enabled: flagOf(row.Enabled),
    registered: flagOf(row.IsRegistered),
    profile: textOf(row.CurrentProfileName),
    queueStatus: textOf(row.QueueStatus),
    recording: modeOf(row),
  };
}

async function userRow(xapi: Xapi, extension: string): Promise<Row | null> {
  const row = await xapi.one(`/Users(Number=${quoted(extension)})`, FIELDS, 'to show an extension');
  // Whoever else it might be is not written to.
  return textOf(row?.Number) === extension ? row : null;
}

export async function presenceOf(
  { xapi, callControl, routePoint }: { xapi: Xapi; callControl: CallControl; routePoint: string },
  extensions: readonly string[],
): Promise<readonly Presence[]> {
  const wanted = [...new Set(extensions.map((one) => extensionOf(one, null)))];
  const found = await Promise.all(
    wanted.map(async (extension) => {
      const [row, calls] = await Promise.all([userRow(xapi, extension), callsOf(callControl, extension, routePoint)]);
      return { extension, row, calls };
    }),
  );
  const missing = found.filter(({ row }) => row === null).map(({ extension }) => extension);
  if (missing.length > 0)
    throw new UserInputError(`3CX has no extension ${missing.join(', ')}. threecx_get_extensions lists them.`);
  return found.map(({ extension, row, calls }) => {
    const { name, profile, registered, queueStatus } = toExtension(row ?? {});
    return {
      extension,
      name,
      profile,
      registered,
      queueStatus,
      // That nothing can be seen does not mean that there is nothing.
      onCall: calls === null ? null : calls.length > 0,
      calls: calls ?? [],
    };
  });
}

/** Null: the app may not look at them. */
async function callsOf(
  callControl: CallControl,
  extension: string,
  routePoint: string,
): Promise<readonly LiveCall[] | null> {
  const calls = await callControl.participants(extension).catch(nullOn(403, 404));
  return calls?.map((one) => liveCallOf(one, routePoint)) ?? null;
}

/** The two fields are in the swagger; that the second limits the first is what their names and the Admin Console say. */
const FLAGS: Readonly<
  Record<RecordingMode, { readonly RecordCalls: boolean; readonly RecordExternalCallsOnly: boolean }>
> = {
  off: { RecordCalls: false, RecordExternalCallsOnly: false },
  all: { RecordCalls: true, RecordExternalCallsOnly: false },
  external: { RecordCalls: true, RecordExternalCallsOnly: true },
};

function modeOf(row: Row): RecordingMode | null {
  const [isRecorded, isExternalOnly] = [flagOf(row.RecordCalls), flagOf(row.RecordExternalCallsOnly)];
  if (isRecorded === null) return null;
  return isRecorded ? (isExternalOnly === true ? 'external' : 'all') : 'off';
}

/** Nothing is written when it is so already; what was written is read again. */
export async function setRecording(
  xapi: Xapi,
  given: string,
  mode: RecordingMode,
  mayChange: () => void,
): Promise<{ readonly before: Extension; readonly after: Extension }> {
  const extension = extensionOf(given, null);
  const row = await userRow(xapi, extension);
  const id = numberOf(row?.Id);
  if (row === null || id === null)
    throw new UserInputError(`3CX has no extension ${extension}. threecx_get_extensions lists them.`);
  const before = toExtension(row);
  if (before.recording === mode) return { before, after: before };
  mayChange();
  let doubt: UpstreamError | null = null;
  try {
    await xapi.patch(`/Users(${id})`, FLAGS[mode], 'to change what is recorded');
  } catch (error) {
    if (!isUncertain(error)) throw error;
    doubt = error;
  }
  const after = toExtension((await userRow(xapi, extension).catch(rethrowAsUnknown)) ?? {});
  if (after.recording === mode) return { before, after };
  if (doubt !== null)
    throw uncertain(`${doubt.message} The setting of extension ${extension} is still as it was.`, doubt);
  throw new UpstreamError(
    `3CX took the change of extension ${extension} on, but the setting is not as it was to be. It may be set by the department or the system.`,
    { retryable: false, code: 'not-done' },
  );
}

function rethrowAsUnknown(cause: unknown): never {
  throw uncertain(
    'The change was asked for, but what came of it could not be read. Look at the extension again.',
    cause,
  );
}
