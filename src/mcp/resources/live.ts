import type { Toolset } from '../../config/schema.ts';
import type { Sources } from '../tool.ts';
import { ASTERISK_URIS } from './asterisk.ts';
import { THREECX_URIS } from './threecx.ts';

/** Resources of one telephone system that tell when they have changed. */
export interface LiveResources {
  readonly toolset: Toolset;
  readonly uris: ReadonlySet<string>;
  /** Connects in order to hear of it. @throws ConfigError while the system is not configured */
  watch(sources: Sources, updated: (uri: string) => void): () => void;
}

export const LIVE_RESOURCES: readonly LiveResources[] = [
  live('asterisk', ASTERISK_URIS, ({ asterisk }, changed) => asterisk().watch(changed)),
  live('3cx', THREECX_URIS, ({ threecx }, changed) => threecx().watch(changed)),
];

function live<List extends string>(
  toolset: Toolset,
  uris: Readonly<Record<List, string>>,
  watch: (sources: Sources, changed: (list: List) => void) => () => void,
): LiveResources {
  return {
    toolset,
    uris: new Set<string>(Object.values(uris)),
    watch: (sources, updated) => watch(sources, (list) => updated(uris[list])),
  };
}
