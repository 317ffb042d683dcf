import { expectCells } from './expect-cells.ts';
import { MODEL_FAULTS } from './model-faults.ts';

expectCells('what goes wrong with the model', MODEL_FAULTS);
