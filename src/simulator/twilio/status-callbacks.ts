/** Puts status webhooks in the order in which they are sent, which with Twilio need not be the order of the events. */
export class StatusSequence<Webhook> {
  private readonly send: (webhook: Webhook) => void;
  private held: Webhook | null = null;

  constructor(send: (webhook: Webhook) => void) {
    this.send = send;
  }

  /** `reversed` holds one back until the next has gone; the last one lets go of all. */
  add(webhook: Webhook, how: { readonly reversed: boolean; readonly twice: boolean; readonly last: boolean }): void {
    const emit = (one: Webhook) => {
      this.send(one);
      if (how.twice) this.send(one);
    };
    if (how.reversed && this.held === null && !how.last) {
      this.held = webhook;
      return;
    }
    const { held } = this;
    this.held = null;
    emit(webhook);
    if (held !== null) emit(held);
  }
}
