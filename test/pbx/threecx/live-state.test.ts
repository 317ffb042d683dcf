/** What is known of the calls, from events that come late, twice, in gaps or not at all. */
import { describe, expect, it } from 'vitest';
import type { CallControlEvent, ControlledDn, Participant } from '../../../src/pbx/threecx/call-control.ts';
import { type Ask, frameOf, LiveState } from '../../../src/pbx/threecx/live-state.ts';
import { participantOf } from '../../../src/pbx/threecx/participants.ts';

function participant(id: number, status: string, dn = '100'): Participant {
  const made = participantOf({ id, status, dn, party_caller_id: '101' }, dn);
  if (made === null) throw new Error('no participant');
  return made;
}
const dns = (...participants: readonly Participant[]): readonly ControlledDn[] => [
  { dn: '100', type: 'Wextension', devices: [], participants },
];
const frame = (sequence: number, type: number, id: number, attached: unknown = null) =>
  frameOf(
    JSON.stringify({
      sequence,
      event: { event_type: type, entity: `/callcontrol/100/participants/${id}`, attached_data: attached },
    }),
  );

function started(...participants: readonly Participant[]) {
  const told: CallControlEvent[] = [];
  const state = new LiveState((event) => told.push(event));
  state.snapshot(state.snapshotAsked(), dns(...participants));
  told.length = 0;
  return { state, told };
}
function orderOf(asks: readonly Ask[]): number {
  const [ask] = asks;
  if (ask?.kind !== 'participant') throw new Error('nothing to look at');
  return ask.order;
}
const statuses = (state: LiveState) =>
  state.dns().flatMap((dn) => dn.participants.map((one) => `${one.id} ${one.status}`));

describe('the live state', () => {
  it('has what the snapshot has, and tells only what is new or different in the next one', () => {
    const { state, told } = started(participant(1, 'Ringing'), participant(2, 'Connected'));
    state.snapshot(state.snapshotAsked(), dns(participant(1, 'Connected'), participant(3, 'Dialing')));
    expect(statuses(state)).toEqual(['1 Connected', '3 Dialing']);
    expect(told).toEqual([
      { kind: 'gone', dn: '100', participantId: 2 },
      { kind: 'participant', participant: participant(1, 'Connected') },
      { kind: 'participant', participant: participant(3, 'Dialing') },
    ]);
  });

  it('looks at what an event names, as the event says nothing of it', () => {
    const { state, told } = started();
    const order = orderOf(state.frame(frame(1, 0, 6)));
    expect(statuses(state)).toEqual([]);
    expect(state.looked('100', 6, order, participant(6, 'Ringing'))).toBe(true);
    expect(told).toEqual([{ kind: 'participant', participant: participant(6, 'Ringing') }]);
  });

  it('drops an answer that was asked for before a newer event', () => {
    const { state, told } = started();
    const first = orderOf(state.frame(frame(1, 0, 6)));
    const second = orderOf(state.frame(frame(2, 0, 6)));
    expect(state.looked('100', 6, second, participant(6, 'Connected'))).toBe(true);
    expect(state.looked('100', 6, first, participant(6, 'Ringing'))).toBe(false);
    expect(statuses(state)).toEqual(['6 Connected']);
    expect(told).toHaveLength(1);
  });

  it('does not bring back what has gone, neither by a late answer nor by a snapshot that was asked for before', () => {
    const { state, told } = started(participant(6, 'Connected'));
    const asked = state.snapshotAsked();
    const order = orderOf(state.frame(frame(1, 0, 6)));
    state.frame(frame(2, 1, 6));
    state.looked('100', 6, order, participant(6, 'Connected'));
    state.snapshot(asked, dns(participant(6, 'Connected')));
    expect(statuses(state)).toEqual([]);
    expect(told).toEqual([{ kind: 'gone', dn: '100', participantId: 6 }]);
  });

  it('keeps what an event has told since the snapshot was asked for', () => {
    const { state } = started();
    const asked = state.snapshotAsked();
    state.looked('100', 6, orderOf(state.frame(frame(1, 0, 6))), participant(6, 'Connected'));
    state.snapshot(asked, dns());
    expect(statuses(state)).toEqual(['6 Connected']);
    state.snapshot(state.snapshotAsked(), dns());
    expect(statuses(state)).toEqual([]);
  });

  it('takes a participant that is gone when it is looked at as gone, and tells so once', () => {
    const { state, told } = started();
    state.looked('100', 6, orderOf(state.frame(frame(1, 0, 6))), null);
    state.frame(frame(2, 1, 6));
    expect(told).toEqual([{ kind: 'gone', dn: '100', participantId: 6 }]);
  });

  it('tells nothing twice when events come twice', () => {
    const { state, told } = started();
    for (const sequence of [1, 1, 2])
      state.looked('100', 6, orderOf(state.frame(frame(sequence, 0, 6))), participant(6, 'Ringing'));
    expect(told).toHaveLength(1);
  });

  it('asks for a new snapshot when the count has a gap or goes back, but not when a connection begins another one', () => {
    const { state } = started();
    const kinds = (asks: readonly Ask[]) => asks.map((ask) => ask.kind);
    expect(kinds(state.frame(frame(7, 0, 6)))).toEqual(['participant']);
    expect(kinds(state.frame(frame(8, 0, 6)))).toEqual(['participant']);
    expect(kinds(state.frame(frame(10, 0, 6)))).toEqual(['snapshot', 'participant']);
    expect(kinds(state.frame(frame(3, 0, 6)))).toEqual(['snapshot', 'participant']);
    state.connected();
    expect(kinds(state.frame(frame(1, 0, 6)))).toEqual(['participant']);
  });

  it.each(['{"sequence":1,"event":null}', 'null', 'no json', '{"sequence":1,"event":{"event_type":null}}'])(
    'looks at everything again when an event cannot be read: %s',
    (text) => {
      expect(started().state.frame(frameOf(text))).toEqual([{ kind: 'snapshot' }]);
    },
  );

  it('looks at everything again when something else than a call has changed, and not for events of no meaning here', () => {
    const { state } = started();
    const event = (type: number, entity: string) => frameOf(JSON.stringify({ event: { event_type: type, entity } }));
    expect(state.frame(event(0, '/callcontrol/100/devices/sip%3A100'))).toEqual([{ kind: 'snapshot' }]);
    expect(state.frame(event(3, '/callcontrol/100'))).toEqual([]);
    expect(state.frame(event(4, ''))).toEqual([]);
  });

  it('tells which keys were pressed, where the event says so', () => {
    const { state, told } = started(participant(6, 'Connected'));
    state.frame(frame(1, 2, 6, { dtmf_input: '5#' }));
    state.frame(frame(2, 2, 6, null));
    expect(told).toEqual([{ kind: 'digits', dn: '100', participantId: 6, digits: '5#' }]);
  });

  it('has a call that was placed at once, whether its events come before or after the answer', () => {
    const { state, told } = started();
    state.placed(participant(6, 'Dialing'));
    const order = orderOf(state.frame(frame(1, 0, 7)));
    state.placed(participant(7, 'Dialing'));
    expect(state.looked('100', 7, order, participant(7, 'Connected'))).toBe(true);
    state.frame(frame(2, 1, 8));
    state.placed(participant(8, 'Dialing'));
    expect(statuses(state)).toEqual(['6 Dialing', '7 Connected']);
    expect(told.map((one) => one.kind)).toEqual(['participant', 'participant', 'participant', 'gone']);
  });
});
