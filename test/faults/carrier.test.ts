import { CARRIER_FAULTS } from './carrier-faults.ts';
import { expectCells } from './expect-cells.ts';

expectCells('what goes wrong with the carrier', CARRIER_FAULTS);
