import { MOST_QUEUED_MS } from '../../../src/carriers/threecx/downlink.ts';
import { describeCarrier } from '../../contracts/carrier.ts';
import { openRig } from './rig.ts';

describeCarrier({
  name: '3CX',
  networkCapMs: MOST_QUEUED_MS,
  isCapFixed: true,
  playoutMs: 20,
  forgetsCalls: true,
  tellsNoReason: true,
  tellsNoTimes: true,
  open: async ({ answer }) => {
    const { pbx, carrier, another, stop } = await openRig({ answer });
    return { carrier, successor: () => another(), dropStreams: pbx.dropStreams, liveCalls: () => pbx.liveCalls, stop };
  },
});
