import type { Audio } from '../media/audio.ts';

/** The model's audio between its coming and its going, by number. Nearly always the latest piece goes at once. */
export class Chunks {
  readonly #earlier = new Map<number, Audio>();
  #latestId = 0;
  #latest: Audio | undefined;

  put(chunkId: number, audio: Audio): void {
    if (this.#latest) this.#earlier.set(this.#latestId, this.#latest);
    this.#latestId = chunkId;
    this.#latest = audio;
  }

  get(chunkId: number): Audio | undefined {
    return chunkId === this.#latestId ? this.#latest : this.#earlier.get(chunkId);
  }

  take(chunkId: number): Audio | undefined {
    const audio = this.get(chunkId);
    if (chunkId === this.#latestId) this.#latest = undefined;
    else this.#earlier.delete(chunkId);
    return audio;
  }

  clear(): void {
    this.#earlier.clear();
    this.#latest = undefined;
  }
}
