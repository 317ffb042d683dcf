import { describeCarrier } from '../../contracts/carrier.ts';
import { BINARY_LOOK_AHEAD_MS } from '../../fixtures/binary-carrier/carrier.ts';
import { startBinaryWorld } from '../../fixtures/binary-carrier/world.ts';

describeCarrier({
  name: 'binary test',
  networkCapMs: BINARY_LOOK_AHEAD_MS,
  open: async (options) => {
    const { host, pbx, stop } = await startBinaryWorld(options);
    return { carrier: host.carrier, dropStreams: pbx.dropStreams, liveCalls: () => pbx.liveCalls, stop };
  },
});
