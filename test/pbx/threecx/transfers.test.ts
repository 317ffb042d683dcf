/** How calls are handed over to others, and what is said of it: no more than was done. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_OFFICE } from '../../../src/simulator/threecx/office.ts';
import { until } from '../../fixtures/mcp-pair.ts';
import { asked, at, calls, office, outside, TEN_TIMES, talking, untilAt } from './office.ts';

describe('a blind transfer', () => {
  it('of a call that is up takes it away when the target answers', async () => {
    const { pbx, threecx } = await office();
    await talking(threecx, pbx);
    const done = await threecx.transfer({ mode: 'blind', to: '104' });
    expect(done).toMatchObject({
      call: null,
      message: '3CX took on the blind transfer of the call of +14155550123 to 104. The call has left extension 100.',
    });
    expect([await at(threecx, '100'), await at(threecx, '104')]).toEqual([[], ['Connected']]);
  });

  it('says that the target still rings, and that the call comes back when nobody answers', async () => {
    const { pbx, threecx } = await office({ simulated: { answer: () => ({ kind: 'never' }) } });
    pbx.call({ to: '100', ...outside });
    await threecx.answer({});
    const done = await threecx.transfer({ mode: 'blind', to: '104' });
    expect(done).toMatchObject({ call: { status: 'Connected' } });
    expect(done.message).toContain(
      '3CX is ringing 104; if nobody answers there, it gives the call back to extension 100.',
    );
  });

  it('of which 3CX does not say whether it took it on is not told as made because the call is gone', async () => {
    const { pbx, threecx } = await office(TEN_TIMES);
    const caller = pbx.call({ to: '100', ...outside });
    await threecx.answer({});
    pbx.faults.answers = [{ path: '/transferto', how: { kind: 'silence', applied: false } }];
    const transferring = threecx.transfer({ mode: 'blind', to: '104' });
    await until(() => asked(pbx, 'POST', '/transferto').length === 1);
    caller.hangUp();
    const done = await transferring;
    expect(done.message).toMatch(/^3CX did not say whether .* to 104\. The call has left extension 100\./);
    expect(done.message).toContain('is not known');
  });

  it('of a call that rings sends it on', async () => {
    const { pbx, threecx } = await office();
    pbx.call({ to: '101', ...outside });
    const done = await threecx.transfer({ mode: 'blind', extension: '101', to: '104' });
    expect(done.message).toContain('sending the ringing call');
    expect(asked(pbx, 'POST', '/divert')).toHaveLength(1);
  });

  it('is not made to where no call may go, nor of a call that is being dialled', async () => {
    const { pbx, threecx } = await office({ simulated: { answer: () => ({ kind: 'never' }) } });
    await threecx.makeCall({ to: '101', ringSeconds: 20 });
    await expect(threecx.transfer({ mode: 'blind', to: '104' })).rejects.toThrow(
      /is Dialing; it can be transferred only/,
    );
    await expect(threecx.transfer({ mode: 'blind', to: '112' })).rejects.toThrow(/emergency/);
    await expect(threecx.transfer({ mode: 'blind', to: '+442079460018' })).rejects.toMatchObject({
      name: 'UserInputError',
    });
    expect(asked(pbx, 'POST', '/transferto')).toEqual([]);
  });
});

describe('an attended transfer', () => {
  it('is a consultation from the same telephone, and then a blind transfer, as 3CX has nothing else', async () => {
    const { pbx, threecx } = await office();
    const caller = await talking(threecx, pbx);
    const consultation = await threecx.transfer({ mode: 'consult', to: '104' });
    const consultId = consultation.call?.participantId ?? 0;
    expect(consultation).toMatchObject({ call: { extension: '100', party: '104' } });
    expect(consultation.message).toContain(`+14155550123 (participantId ${caller}) waits`);
    expect(consultation.untested).toEqual([expect.stringContaining('not tried on a real 3CX')]);
    await untilAt(threecx, '100', ['Connected', 'Connected']);
    const done = await threecx.transfer({ mode: 'complete', to: '104', consultId });
    expect(done.message).toMatch(
      /The consultation was ended. 3CX cannot join two calls, so the telephone of 104 rings once more. .* The call has left extension 100/,
    );
    expect([await at(threecx, '100'), await at(threecx, '104')]).toEqual([[], ['Connected']]);
  });

  it('consults from the telephone at which the caller is, as only that one holds them', async () => {
    const [ada, ...others] = DEFAULT_OFFICE;
    const extensions = ada === undefined ? others : [{ ...ada, hasApp: true }, ...others];
    const { pbx, threecx } = await office({ simulated: { extensions } });
    await talking(threecx, pbx);
    const app = (await threecx.callControl.devices('100'))[0]?.deviceId ?? '';
    await threecx.transfer({ mode: 'consult', to: '104' });
    expect(calls(pbx)).toHaveLength(1);
    expect(calls(pbx)[0]).toContain('/devices/sip:100@');
    expect(calls(pbx)[0]).not.toContain(app);
  });

  it('consults by whatever telephone there is where that of the caller is not listed', async () => {
    const { pbx, threecx } = await office();
    await talking(threecx, pbx);
    pbx.faults.foreignDevices = true;
    const done = await threecx.transfer({ mode: 'consult', to: '104' });
    expect(calls(pbx)[0]).toContain('/devices/sip:100@127.0.0.1:5483/');
    expect(done.untested.join()).toContain('another telephone');
  });

  it('is completed although the consultation has ended by itself, and that is said', async () => {
    const { pbx, threecx } = await office();
    await talking(threecx, pbx);
    const { call } = await threecx.transfer({ mode: 'consult', to: '104' });
    await threecx.drop({ participantId: call?.participantId });
    const done = await threecx.transfer({ mode: 'complete', to: '104', consultId: call?.participantId ?? 0 });
    expect(done.message).toContain('The consultation had ended already.');
    await untilAt(threecx, '104', ['Connected']);
  });

  it('that cannot be completed says that the consultation is over, and where the caller is', async () => {
    const { pbx, threecx } = await office();
    await talking(threecx, pbx);
    const { call } = await threecx.transfer({ mode: 'consult', to: '104' });
    await untilAt(threecx, '100', ['Connected', 'Connected']);
    pbx.faults.answers = [{ path: '/transferto', how: { kind: 'status', status: 422 } }];
    await expect(
      threecx.transfer({ mode: 'complete', to: '104', consultId: call?.participantId ?? 0 }),
    ).rejects.toThrow(/^The consultation was ended. .* The caller is still at extension 100.$/);
    expect(await at(threecx, '100')).toEqual(['Connected']);
  });

  it('that cannot be completed names no number outside, as the error goes into the log', async () => {
    const { pbx, threecx } = await office();
    await talking(threecx, pbx);
    const { call } = await threecx.transfer({ mode: 'consult', to: '+14155550188' });
    pbx.faults.answers = [{ path: '/transferto', how: { kind: 'status', status: 422 } }];
    const completing = threecx.transfer({ mode: 'complete', to: '+14155550188', consultId: call?.participantId ?? 0 });
    await expect(completing).rejects.toMatchObject({ message: expect.not.stringMatching(/4155550/) });
  });

  it('whose caller hangs up in the last moment does not say that they are still there', async () => {
    const { pbx, threecx } = await office();
    const caller = pbx.call({ to: '100', ...outside });
    await threecx.answer({});
    const { call } = await threecx.transfer({ mode: 'consult', to: '104' });
    pbx.faults.answers = [{ path: '/drop', how: { kind: 'late', afterMs: 200 } }];
    const completing = threecx.transfer({ mode: 'complete', to: '104', consultId: call?.participantId ?? 0 });
    setTimeout(() => caller.hangUp(), 150);
    await expect(completing).rejects.toThrow(/^The consultation was ended. .* The caller is not there any more.$/);
  });

  it('does not give the consultation up when there is no caller any more', async () => {
    const { pbx, threecx } = await office();
    const caller = pbx.call({ to: '100', ...outside });
    await threecx.answer({});
    const { call } = await threecx.transfer({ mode: 'consult', to: '104' });
    caller.hangUp();
    const request = { to: '104', consultId: call?.participantId ?? 0 };
    await expect(threecx.transfer({ mode: 'complete', ...request })).rejects.toThrow(/nobody to hand over/);
    await expect(threecx.transfer({ mode: 'complete', ...request, participantId: request.consultId })).rejects.toThrow(
      /another call/,
    );
    expect(asked(pbx, 'POST', '/drop')).toEqual([]);
  });

  it('that is cancelled ends the consultation, and says that a person takes the caller back', async () => {
    const { pbx, threecx } = await office();
    const caller = await talking(threecx, pbx);
    const { call } = await threecx.transfer({ mode: 'consult', to: '104' });
    const done = await threecx.transfer({ mode: 'cancel', consultId: call?.participantId ?? 0 });
    expect(done).toMatchObject({ call: { participantId: caller, status: 'Connected' } });
    expect(done.message).toMatch(/The consultation was ended. .* a person takes it back there, as 3CX cannot/);
    expect(pbx.liveCalls).toBe(1);
  });
});
