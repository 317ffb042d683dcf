import { expectCells } from './expect-cells.ts';
import { STORE_FAULTS } from './store-faults.ts';

expectCells('what goes wrong with the store', STORE_FAULTS);
