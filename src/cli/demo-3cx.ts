import { startThreeCxSimulator } from '../simulator/threecx/pbx.ts';
import { startVoipMsSimulator } from '../simulator/voipms/account.ts';
import type { Earlier, PbxStage, Try } from './demo-pbx.ts';

const CUSTOMER = '+14155550123';
const OURS = '100';
const COLLEAGUE = '101';
const OTHER = '104';
const RESOURCES = ['active-calls', 'call-history', 'extensions', 'messages'].map((list) => `threecx://${list}`);

/** An office of five; text messages go out by a simulated VoIP.ms, as 3CX has no way to send one. */
export async function threeCxStage(): Promise<PbxStage> {
  const pbx = await startThreeCxSimulator();
  const account = await startVoipMsSimulator();
  const customerCalls = (): void => {
    pbx.call({ to: OURS, from: CUSTOMER, name: 'Carter', callee: () => ({ tick: () => ({ spoken: null }) }) });
  };
  return {
    env: {
      ...pbx.env,
      ...account.env,
      // On this machine as well, so that the simulated account is known for one.
      OPENAI_API_URL: account.url,
      VOIPMS_SMS_NUMBER: '+14155550100',
    },
    opening: `A simulated 3CX v20 with five extensions; ${OURS} is ours. Every tool is tried once or more.`,
    tries: triesOf(customerCalls),
    resources: RESOURCES,
    closing: () => {
      const rude = pbx.violations.length;
      return `The simulated 3CX was asked ${pbx.requests.length} times, ${rude === 0 ? 'and never for anything that it should not be asked' : `and ${rude} times wrongly: ${pbx.violations.join('; ')}`}. The text message: “${account.state.messages.at(-1)?.message ?? ''}”.`;
    },
    close: async () => {
      await pbx.stop();
      await account.stop();
    },
  };
}

function triesOf(customerCalls: () => void): readonly Try[] {
  return [
    { tool: 'threecx_get_extensions', wish: 'Who works here?', args: () => ({}) },
    {
      tool: 'threecx_get_presence',
      wish: 'Are Ada, Ben and David free?',
      args: () => ({ extensions: [OURS, COLLEAGUE, '103'] }),
    },
    {
      tool: 'threecx_make_call',
      wish: 'Call Ben from my telephone.',
      args: () => ({ to: COLLEAGUE }),
      label: 'call',
    },
    {
      tool: 'threecx_hold_call',
      wish: 'Put him on hold.',
      before: untilAnswered,
      args: () => ({ action: 'hold' }),
      label: 'held',
    },
    {
      tool: 'threecx_hold_call',
      wish: 'Take him back.',
      args: (earlier) => ({ action: 'resume', slot: earlier.held?.slot }),
      label: 'resumed',
    },
    { tool: 'threecx_drop_call', wish: 'Hang up.', args: () => ({}) },
    {
      tool: 'threecx_answer_call',
      wish: 'My telephone rings: take it.',
      before: customerCalls,
      args: () => ({}),
      label: 'customer',
    },
    {
      tool: 'threecx_transfer_call',
      wish: 'Ask Elif whether she can take the customer.',
      args: (earlier) => ({ ...choice(earlier), mode: 'consult', to: OTHER }),
      label: 'consultation',
    },
    {
      tool: 'threecx_transfer_call',
      wish: 'She can.',
      before: untilAnswered,
      args: (earlier) => ({ ...choice(earlier), mode: 'complete', to: OTHER, consultId: idOf(earlier.consultation) }),
    },
    {
      tool: 'threecx_answer_call',
      wish: 'It rings again: take it.',
      before: customerCalls,
      args: () => ({}),
    },
    {
      tool: 'threecx_transfer_call',
      wish: 'Straight to Ben with that one.',
      args: () => ({ mode: 'blind', to: COLLEAGUE }),
    },
    {
      tool: 'threecx_send_message',
      wish: 'Write to the customer that we call back.',
      args: () => ({ to: CUSTOMER, text: 'We call you back today.' }),
    },
    {
      tool: 'threecx_record_call',
      wish: 'Record my calls from now on.',
      args: () => ({ action: 'all', extension: OURS }),
    },
    { tool: 'threecx_record_call', wish: 'Which recordings are there?', args: () => ({ action: 'list' }) },
    { tool: 'threecx_get_call_logs', wish: 'Who called this week?', args: () => ({}) },
  ];
}

/** As long as somebody takes to pick up there. */
async function untilAnswered(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 600));
}

function choice(earlier: Earlier): Readonly<Record<string, unknown>> {
  return { extension: OURS, participantId: idOf(earlier.customer) };
}

function idOf(answer: Readonly<Record<string, unknown>> | undefined): unknown {
  const call = answer?.call;
  return typeof call === 'object' && call !== null && 'participantId' in call ? call.participantId : undefined;
}
