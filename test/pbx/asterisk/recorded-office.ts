/** The product's operations on a manager that answers as a real Asterisk 22 did. Closed after each test. */
import { onTestFinished } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { createOffice } from '../../../src/offices/asterisk.ts';
import type { AmiClock } from '../../../src/pbx/asterisk/ami/client.ts';
import type { Asterisk } from '../../../src/pbx/asterisk/operations.ts';
import { systemClock } from '../../../src/switchboard/clock.ts';
import { QUIET } from '../../system/office.ts';
import {
  answersOf,
  type Headers,
  headerOf,
  type RecordedManager,
  startRecordedManager,
  USER,
} from './recorded-manager.ts';

/** The name of a transcript, messages, or what makes them of an action; null is no answer at all. */
export type Answer = string | readonly string[] | ((action: Headers) => readonly string[] | null);

/** `answers` by action; what is not among them the server does not know. */
export async function office(
  answers: Readonly<Record<string, Answer>>,
  settings: Readonly<Record<string, string>> = {},
  clock: AmiClock = systemClock,
): Promise<{ readonly asterisk: Asterisk; readonly manager: RecordedManager }> {
  const answer = (action: Headers): readonly string[] | null => {
    const known = answers[headerOf(action, 'Action')];
    if (known === undefined) return answersOf('15-unknown-action');
    if (typeof known === 'function') return known(action);
    return typeof known === 'string' ? answersOf(known) : known;
  };
  const manager = await startRecordedManager({ answer });
  const env = {
    AMI_HOST: '127.0.0.1',
    AMI_PORT: String(manager.port),
    AMI_USERNAME: USER.username,
    AMI_SECRET: USER.secret,
    ...settings,
  };
  const asterisk = createOffice(readConfig({ env }).config, { ...systemClock, ...clock }, QUIET);
  if (asterisk === null) throw new Error('incomplete');
  onTestFinished(async () => {
    asterisk.close();
    await manager.stop();
  });
  return { asterisk, manager };
}

export const sent = ({ actions }: RecordedManager): readonly string[] =>
  actions.map((action) =>
    action
      .filter(([key]) => key !== 'ActionID')
      .map((pair) => pair.join('='))
      .join(' '),
  );

/** The answers to a list action. */
export function listOf(event: string, items: readonly Readonly<Record<string, string | number>>[]): readonly string[] {
  const message = (headers: Readonly<Record<string, string | number>>) =>
    Object.entries({ ...headers, ActionID: '%ID%' })
      .map((pair) => pair.join(': '))
      .join('\r\n');
  return [
    message({ Response: 'Success', EventList: 'start' }),
    ...items.map((item) => message({ Event: event, ...item })),
    message({ Event: `${event}Complete`, EventList: 'Complete', ListItems: items.length }),
  ];
}
