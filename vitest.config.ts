import { configDefaults, defineConfig } from 'vitest/config';

/** Whole calls in real time: they wait more than they work. */
const JOURNEYS = ['test/{journeys,system,bench}/**/*.test.ts', 'test/simulator/agents-sdk.test.ts'];
/** Many processes, others' programs, and installs: they start more than they wait, so they are not beside calls either. */
const PROGRAMS = [
  'test/conformance/**/*.test.ts',
  'test/journeys/{clients,clients-trouble,hosted,hosted-call,inspector,install,processes,sharing}.test.ts',
  'test/{package,bundle}.test.ts',
];
/** Many calls at once, faults, kills and floods: heavy, so not beside calls that are judged by the millisecond. */
const HARDSHIPS = ['test/{faults,crash,attack}/**/*.test.ts'];
/** Figures, and how many calls one machine carries: with nothing else on it. */
const MEASURED = ['test/journeys/{truncation,recording-heard}.test.ts', 'test/attack/office-load.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // One kind after the other, so that what is measured is not disturbed.
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...JOURNEYS, ...PROGRAMS, ...HARDSHIPS],
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'journeys',
          include: JOURNEYS,
          exclude: [...configDefaults.exclude, ...PROGRAMS, ...MEASURED],
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
      { extends: true, test: { name: 'programs', include: PROGRAMS, maxWorkers: 3, sequence: { groupOrder: 4 } } },
      {
        extends: true,
        test: {
          name: 'hardships',
          include: HARDSHIPS,
          exclude: [...configDefaults.exclude, ...MEASURED],
          maxWorkers: 4,
          sequence: { groupOrder: 2 },
        },
      },
      { extends: true, test: { name: 'measured', include: MEASURED, maxWorkers: 1, sequence: { groupOrder: 3 } } },
    ],
  },
});
