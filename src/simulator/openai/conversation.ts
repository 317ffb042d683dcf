import type { Heard } from './brain.ts';
import { refuse } from './failure.ts';
import { newId } from './ids.ts';
import type { Json } from './schema.ts';

export interface ContentPart {
  type: string;
  text?: string;
  transcript?: string | null;
  audio?: string;
}

/** An item as the wire shows it, and beside it what only the simulator knows. */
export interface Item {
  readonly id: string;
  readonly type: string;
  readonly role: string | null;
  status: 'in_progress' | 'completed' | 'incomplete';
  content: ContentPart[];
  readonly callId: string | null;
  readonly name: string | null;
  args: string;
  readonly output: string | null;
  /** The phrase that an assistant's audio item speaks. */
  readonly phraseId: string | null;
  /** Audio that there is in it; grows while an assistant speaks, and is cut by a truncation. */
  audioMs: number;
  heard: readonly Heard[];
}

export function makeItem(members: Partial<Item> & { readonly type: string }): Item {
  return {
    id: newId('item'),
    role: null,
    status: 'completed',
    content: [],
    callId: null,
    name: null,
    args: '',
    output: null,
    phraseId: null,
    audioMs: 0,
    heard: [],
    ...members,
  };
}

/** As the wire shows it. */
export function itemJson(item: Item): Json {
  const common = { id: item.id, object: 'realtime.item', type: item.type, status: item.status };
  if (item.type === 'message')
    return { ...common, role: item.role, content: item.content.map((part) => ({ ...part })) };
  if (item.type === 'function_call') return { ...common, name: item.name, call_id: item.callId, arguments: item.args };
  if (item.type === 'function_call_output') return { ...common, call_id: item.callId, output: item.output };
  return common;
}

/** An item from a judged `conversation.item.create`. */
export function itemFromClient(json: Json): Item {
  const text = (name: string): string | null => (typeof json[name] === 'string' ? String(json[name]) : null);
  const content = Array.isArray(json.content) ? (json.content as ContentPart[]) : [];
  return makeItem({
    type: String(json.type),
    ...(text('id') === null ? {} : { id: String(json.id) }),
    role: text('role'),
    content: content.map((part) => ({ ...part })),
    callId: text('call_id') ?? (json.type === 'function_call' ? newId('call') : null),
    name: text('name'),
    args: text('arguments') ?? '',
    output: text('output'),
  });
}

/** The items of a session in their order. */
export class Conversation {
  readonly id = newId('conv');
  private items: Item[] = [];

  get all(): readonly Item[] {
    return this.items;
  }

  find(id: unknown): Item | undefined {
    return this.items.find((item) => item.id === id);
  }

  /** Id of the item before this one, null for the first. */
  previousOf(item: Item): string | null {
    return this.items[this.items.indexOf(item) - 1]?.id ?? null;
  }

  lastId(): string | null {
    return this.items.at(-1)?.id ?? null;
  }

  append(item: Item): void {
    this.items.push(item);
  }

  /** `after` is an id, `root` for the beginning, or undefined for the end. */
  insert(item: Item, after: unknown): void {
    if (this.find(item.id) !== undefined) {
      refuse('item_create_duplicate_item_id', `Item with item_id already exists: ${item.id}`, 'item.id');
    }
    if (after === undefined || after === null) {
      this.items.push(item);
      return;
    }
    const at = this.items.findIndex((one) => one.id === after);
    if (at < 0 && after !== 'root') {
      refuse(
        'item_create_invalid_item_id',
        `Previous item with item_id not found: ${String(after)}`,
        'previous_item_id',
      );
    }
    this.items.splice(at + 1, 0, item);
  }

  remove(id: unknown): void {
    if (this.find(id) === undefined) {
      refuse('item_delete_invalid_item_id', `Item with item_id not found: ${String(id)}`, 'item_id');
    }
    this.items = this.items.filter((item) => item.id !== id);
  }

  /** The name of the function that a call id belongs to; undefined when there is no such call. */
  callNamed(callId: string | null): string | undefined {
    const call = this.items.find((item) => item.type === 'function_call' && item.callId === callId);
    return call?.name ?? undefined;
  }

  hasAssistantAudio(): boolean {
    return this.items.some((item) => item.role === 'assistant' && item.audioMs > 0);
  }
}
