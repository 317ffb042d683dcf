/** The office's hosted systems on loopback, for a server that is tried without accounts. */
import type { Answer } from './callee/callee.ts';
import { startTranscriptionSimulator } from './openai/transcriptions.ts';
import { startThreeCxSimulator } from './threecx/pbx.ts';
import { startVoipMsSimulator } from './voipms/account.ts';

export interface SimulatedOffices {
  /** The settings with which a server finds them, by their names in the configuration. */
  readonly settings: {
    readonly pbxFqdn?: string;
    readonly pbxClientId?: string;
    readonly pbxClientSecret?: string;
    readonly pbxDefaultExtension?: string;
    readonly voipmsApiUsername?: string;
    readonly voipmsApiPassword?: string;
    readonly voipmsApiUrl?: string;
    readonly voipmsSmsNumber?: string;
    readonly openaiApiUrl?: string;
  };
  close(): Promise<void>;
}

export interface SimulatedOfficesOptions {
  readonly threecx: boolean;
  readonly voipms: boolean;
  /** Who takes the calls that 3CX places; by default somebody who says nothing. */
  readonly answer?: ((to: string) => Answer) | undefined;
}

/** Who names a system of the office and has none gets a simulated one. */
export function wantedOffices(config: {
  readonly toolsets: readonly string[];
  readonly pbxFqdn: string | null;
  readonly voipmsApiUsername: string | null;
}): { readonly threecx: boolean; readonly voipms: boolean } {
  return {
    threecx: config.toolsets.includes('3cx') && config.pbxFqdn === null,
    voipms: config.toolsets.includes('voipms') && config.voipmsApiUsername === null,
  };
}

export async function startSimulatedOffices(options: SimulatedOfficesOptions): Promise<SimulatedOffices> {
  const running: { stop(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const one of running.splice(0)) await one.stop();
  };
  const keep = <One extends { stop(): Promise<void> }>(one: One): One => {
    running.push(one);
    return one;
  };
  try {
    const settings = {
      ...(options.threecx ? threecxSettings(keep(await startThreeCxSimulator({ answer: options.answer }))) : {}),
      ...(options.voipms
        ? voipmsSettings(keep(await startVoipMsSimulator()), keep(await startTranscriptionSimulator()))
        : {}),
    };
    return { settings, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function threecxSettings(pbx: Awaited<ReturnType<typeof startThreeCxSimulator>>): SimulatedOffices['settings'] {
  return {
    pbxFqdn: pbx.baseUrl,
    pbxClientId: pbx.clientId,
    pbxClientSecret: pbx.clientSecret,
    pbxDefaultExtension: pbx.env.PBX_DEFAULT_EXTENSION ?? '100',
  };
}

function voipmsSettings(
  account: Awaited<ReturnType<typeof startVoipMsSimulator>>,
  transcriptions: Awaited<ReturnType<typeof startTranscriptionSimulator>>,
): SimulatedOffices['settings'] {
  return {
    voipmsApiUrl: account.url,
    voipmsApiUsername: account.username,
    voipmsApiPassword: account.password,
    voipmsSmsNumber: '+14155550100',
    openaiApiUrl: transcriptions.url,
  };
}
