// A host that answers by a script: the edge of our world in tests and in the look page. It records
// what was asked, answers as told, and pushes what it is told to push.

import type { UiPush } from "../../shared/bindings/ui/UiPush";
import type { UiReply } from "../../shared/bindings/ui/UiReply";
import type { UiRequest } from "../../shared/bindings/ui/UiRequest";
import { type Host, HostError, type HostLink } from "../src/host";

type RequestType = UiRequest["type"];
type BodyOf<T extends RequestType> = Extract<UiRequest, { type: T }>["body"];
type Answer = (body: never) => UiReply | Promise<UiReply>;

export const done: UiReply = { type: "done", body: {} };

export class ScriptedHost implements Host {
  /** Everything asked so far. */
  readonly asked: UiRequest[] = [];
  private answers = new Map<RequestType, Answer>();
  private hear: (push: UiPush) => void = () => {};
  private link: (link: HostLink) => void = () => {};

  listen(onPush: (push: UiPush) => void, onLink: (link: HostLink) => void): void {
    this.hear = onPush;
    this.link = onLink;
  }

  async request(request: UiRequest): Promise<UiReply> {
    this.asked.push(request);
    const answer = this.answers.get(request.type);
    return answer === undefined ? done : await answer(request.body as never);
  }

  /** How to answer one kind of request; without a script the answer is `done`. */
  on<T extends RequestType>(
    type: T,
    answer: (body: BodyOf<T>) => UiReply | Promise<UiReply>,
  ): this {
    this.answers.set(type, answer as Answer);
    return this;
  }

  /** Refuses one kind of request. */
  refuse(type: RequestType, problem: Partial<HostError["problem"]> = {}): this {
    return this.on(type, () => {
      throw new HostError({ kind: "refused", code: null, retry_after_ms: null, ...problem });
    });
  }

  /** Says something without being asked. */
  push(push: UiPush): void {
    this.hear(push);
  }

  /** Changes the way to the core. */
  setLink(link: HostLink): void {
    this.link(link);
  }

  /** Bodies of everything asked of one kind. */
  bodies<T extends RequestType>(type: T): BodyOf<T>[] {
    const bodies: unknown[] = this.asked
      .filter((request) => request.type === type)
      .map((request) => request.body);
    return bodies as BodyOf<T>[];
  }
}
