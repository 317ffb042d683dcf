/** What `switchboard doctor` sees of the telephone system. Changes nothing. */
import { type AmiClient, AmiRefusal } from './ami/client.ts';

export interface AsteriskLook {
  readonly version: string;
  /** Actions that this account may send. */
  readonly actions: readonly string[];
  /** The context in which calls are placed is there. */
  readonly hasContext: boolean;
  /** Extensions of the agent's context; null when there is no such context. */
  readonly agentExtensions: readonly string[] | null;
  /** Extensions with a hint, which are all that can be seen. */
  readonly extensions: number;
}

/** Rejects with one of the four errors when it cannot be reached. */
export async function lookAtAsterisk(
  ami: AmiClient,
  { context, agentContext }: { readonly context: string; readonly agentContext: string },
): Promise<AsteriskLook> {
  await ami.ready();
  const commands = await ami.send('ListCommands');
  const actions = commands.headers.map(([key]) => key).filter((key) => !['Response', 'ActionID'].includes(key));
  const [settings, phones, agent, hints] = await Promise.all([
    orNull(ami.send('CoreSettings')),
    extensionsOf(ami, context),
    extensionsOf(ami, agentContext),
    orNull(ami.list('ExtensionStateList')),
  ]);
  return {
    version: settings?.get('AsteriskVersion') ?? '',
    actions,
    hasContext: phones !== null,
    agentExtensions: agent,
    extensions: hints?.length ?? 0,
  };
}

async function extensionsOf(ami: AmiClient, context: string): Promise<readonly string[] | null> {
  const lines = await orNull(ami.list('ShowDialPlan', { Context: context }));
  return lines === null ? null : [...new Set(lines.map((line) => line.get('Extension')).filter((name) => name !== ''))];
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AmiRefusal) return null;
    throw error;
  }
}
