import type { Scope } from '../../config/access.ts';
import type { Toolset } from '../../config/schema.ts';
import type { Sources } from '../tool.ts';
import { cleaned } from '../tools/answer.ts';

export interface ListedResource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
}

/** A resource as the server registers it. Knows no SDK. */
export interface Resource {
  readonly name: string;
  /** An address, or a template with one variable. */
  readonly uri: string;
  readonly toolset: Toolset;
  readonly scope: Scope;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
  /** `variable` is what stands for the template's. Rejects with a UserInputError when there is no such thing. */
  read(
    sources: Sources,
    variable: string | string[] | undefined,
  ): Promise<{ readonly text: string } | { readonly blob: string; readonly mimeType?: string }>;
  /** Of a template: what there is, newest first. */
  list?(sources: Sources): Promise<ListedResource[]>;
  /** Of a template: what begins with `value`. */
  complete?(sources: Sources, value: string): Promise<string[]>;
}

/** About eight minutes. More than this in one message of JSON, which base64 makes a third larger, is what clients choke on. */
export const MOST_SOUND_BYTES = 8 * 1024 * 1024;

/** As resources have them: in base64. */
export function blobOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** As JSON, every text in it without control and invisible characters. */
export function jsonOf(value: object): { readonly text: string } {
  return { text: JSON.stringify(cleaned(value), null, 1) };
}
