/** A client and our server on a simulated 3CX. All is closed after each test, and the simulator must have nothing to complain of. */
import type { ThreeCxOptions } from '../../../src/pbx/threecx/operations.ts';
import type { ThreeCxSimulatorOptions } from '../../../src/simulator/threecx/pbx.ts';
import { office as openOffice, silent } from '../../pbx/threecx/office.ts';
import { type Watched, watchedPair } from '../watched-pair.ts';

interface OfficeOptions extends Watched {
  readonly sendSms?: ThreeCxOptions['sendSms'];
  readonly defaultExtension?: string | null;
  readonly simulated?: ThreeCxSimulatorOptions;
}

/** Who calls from outside. */
export const CALLER = '+14155550123';

export async function office({ simulated, defaultExtension = '100', sendSms = null, ...watched }: OfficeOptions = {}) {
  const { pbx: simulator, threecx } = await openOffice({
    simulated,
    settings: { defaultExtension, sendSms },
  });
  const pair = await watchedPair(['3cx'], { threecx: () => threecx }, watched);
  return {
    ...pair,
    simulator,
    /** Somebody outside calls an extension. */
    ring: (to: string, name = 'Rosa Example') => simulator.call({ to, from: CALLER, name, callee: silent }),
    /** What was asked to change something, by method and path. */
    changes: () =>
      simulator.requests
        .filter(({ method, path }) => method !== 'GET' && path !== '/connect/token')
        .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`),
  };
}

type Office = Awaited<ReturnType<typeof office>>;

export interface Presence {
  readonly extension: string;
  readonly onCall: boolean | null;
  readonly calls: readonly {
    readonly participantId: number;
    readonly status: string;
    readonly partyName: string | null;
  }[];
}

/** What the tool says of one extension. */
export async function presenceOf({ tool }: Pick<Office, 'tool'>, extension: string): Promise<Presence> {
  const { structured, text, isError } = await tool('threecx_get_presence', { extensions: [extension] });
  if (isError) throw new Error(text);
  const [presence] = structured.presence as Presence[];
  if (presence === undefined) throw new Error('nothing is said of the extension');
  return presence;
}

/** Resolves when the extension has a call of that status, with its participantId. */
export async function callAt(pair: Pick<Office, 'tool'>, extension: string, status: string): Promise<number> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const { calls } = await presenceOf(pair, extension);
    const call = calls.find((one) => one.status === status);
    if (call) return call.participantId;
    if (Date.now() > deadline) throw new Error(`extension ${extension} never had a call that is ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
