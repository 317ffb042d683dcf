import { describeCarrier } from '../../contracts/carrier.ts';
import { BINARY_LOOK_AHEAD_MS, createBinaryCarrier } from '../../fixtures/binary-carrier/carrier.ts';
import { startBinaryWorld } from '../../fixtures/binary-carrier/world.ts';

describeCarrier({
  name: 'binary test',
  networkCapMs: BINARY_LOOK_AHEAD_MS,
  open: async (options) => {
    const { host, pbx, stop } = await startBinaryWorld(options);
    const successor = () => createBinaryCarrier({ pbxUrl: pbx.url, publicUrl: 'https://calls.example.com' });
    return { carrier: host.carrier, successor, dropStreams: pbx.dropStreams, liveCalls: () => pbx.liveCalls, stop };
  },
});
