import { type Finding, fail } from '../doctor/finding.ts';
import { ConfigError } from '../errors.ts';

/** A system that is made when it is first asked for, out of settings that may change until then. */
export interface Late<System> {
  /** @throws ConfigError that says what is missing */
  get(): System;
  close(): void;
}

export function late<System extends { close(): void }>(create: () => System): Late<System> {
  let system: System | null = null;
  return {
    get() {
      system ??= create();
      return system;
    },
    close: () => system?.close(),
  };
}

/** `settings` are those that are needed, by name; null where not set. */
export function notConfigured(
  system: string,
  settings: Readonly<Record<string, string | null>>,
  advice: string,
): ConfigError {
  const missing = Object.entries(settings).flatMap(([name, value]) => (value === null ? [name] : []));
  const verb = missing.length === 1 ? 'is' : 'are';
  return new ConfigError(`${system} is not configured: ${missing.join(', ')} ${verb} not set. ${advice}`, {
    settings: missing,
  });
}

/** For `switchboard doctor`: what a look at a system finds, which is made for it and closed again. Never rejects: a failure is a finding. */
export async function examined<System extends { close(): void }>(
  check: string,
  create: () => System,
  look: (system: System) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  let system: System | null = null;
  try {
    system = create();
    return await look(system);
  } catch (error) {
    return [fail(check, error instanceof Error ? error.message : 'It could not be looked at.')];
  } finally {
    system?.close();
  }
}
