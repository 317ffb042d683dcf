import type { Scope } from '../../config/access.ts';
import type { Toolset } from '../../config/schema.ts';
import type { Sources } from '../tool.ts';

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
