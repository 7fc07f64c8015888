// An open chat that a person steers: another answer, another text, another line, another place.

import { OpenChat } from "./open_chat.js";
import { joined, placeOf } from "./pages.js";
import { isLeftWaiting } from "./parts.js";
import { Refused } from "./socket.js";
import { CONFLICT } from "./words.js";

/** Each request for another line shows what its answer says, before the facts that tell it to other windows. */
export class Conversation extends OpenChat {
  steering = false; // another line is being asked for

  /**
   * Loads the place of a message, without what is between; where another line has it, that one becomes the one shown.
   * Resolves with whether it is there; rejects as the request does.
   * @param {string} messageId
   */
  async visit(messageId) {
    if (this.messages.some((message) => message.id === messageId)) return;
    const page = await this.around(messageId).catch(async (error) => {
      if (!(error instanceof Refused && error.code === CONFLICT)) throw error;
      await this.select(messageId);
      this.say("Another version of this chat is shown.");
      return this.around(messageId);
    });
    await this.prepare(page.messages);
    this.show(joined(this.part, { messages: page.messages, hasMore: page.has_more, hasNewer: page.has_newer }));
    this.findUnanswered();
    this.changed();
  }

  /**
   * Asks for another answer in the place of one, or without its id to the last message.
   * @param {string} [answerId]
   * @param {number} [profile] whose model is to answer this once
   */
  async regenerate(answerId, profile) {
    const params = { session_id: this.id, ...(answerId && { message_id: answerId }), ...(profile && { profile }) };
    const result = await this.steer(() => this.socket.call("turn.regenerate", params));
    const asked = this.asked(answerId);
    this.again = asked && asked !== this.lastSaid ? result.run_id : undefined;
    const place = this.answerPlace(asked);
    if (place === undefined) this.renew();
    else this.goOn(result, place);
  }

  /**
   * Where an answer to a message begins: behind a summary that was made before it. Undefined where only the server knows.
   * @param {Page.Message | undefined} asked
   */
  answerPlace(asked) {
    const later = asked && this.messages.slice(this.messages.indexOf(asked) + 1);
    const first = later?.find(({ kind }) => !kind);
    if (!asked || (!first && later?.length)) return undefined;
    return first ? placeOf(first) : placeOf(asked) + 1;
  }

  /**
   * An edited message was taken by the server, as the beginning of another line.
   * @param {Api.EditResult} result
   */
  edited(result) {
    const { message } = result;
    if (this.messages.some((other) => other.id === message.id)) return;
    if (message.position === null) this.renew();
    else this.goOn(result, message.position, message);
  }

  /**
   * Shows the line that a message is part of, as it went on; all that comes before it too, if it was shown.
   * @param {string} messageId
   * @param {string} [inPlaceOf] the message in whose place it stands
   */
  async select(messageId, inPlaceOf) {
    const position = placeOf(this.messages.find((message) => message.id === inPlaceOf));
    const ask = () => this.socket.call("branch.select", { message_id: messageId });
    const { session, messages, has_more } = await this.steer(ask);
    this.overtake(session);
    this.returning = true;
    this.merge(messages, has_more);
    this.findUnanswered();
    // What waits there is told by the chat alone.
    if (messages.some(isLeftWaiting)) this.refresh();
    await this.messageAt(position);
    await this.prepare(messages);
    this.changed();
  }

  /**
   * Makes one request for another line at a time; rejects as it does.
   * @template Result
   * @param {() => Promise<Result>} call
   */
  async steer(call) {
    this.steering = true;
    this.changed();
    try {
      return await call();
    } finally {
      this.steering = false;
      this.changed();
    }
  }

  /**
   * From a position on the line is another one: with these messages, and the turn that answers.
   * @param {{ run_id: string, session: Api.SessionShape }} result
   * @param {number} position
   * @param {Page.Message[]} messages
   */
  goOn({ run_id, session }, position, ...messages) {
    this.overtake(session);
    const before = this.messages.filter((message) => placeOf(message) < position);
    this.show({ messages: [...before, ...messages], hasMore: this.hasMore, hasNewer: false });
    this.start({ run_id, status: "running" });
  }

  /**
   * What is shown from here on is the line of this answer: its fact is no news, and what was asked for before is old.
   * @param {Api.SessionShape} session
   */
  overtake(session) {
    this.approvals = [];
    this.revision = session.revision;
    this.overtaken = this.opening;
    this.tell("session", session);
  }

  /**
   * @param {Page.Message} message
   * @param {1 | -1 | null} rating null takes it back
   */
  async rate({ id }, rating) {
    const { message } = await this.socket.call("message.rate", { message_id: id, rating });
    this.update(message);
  }

  /**
   * Says whether to keep what a call has proposed to remember; rejects as the request does.
   * @param {Page.Message} message the call's result
   * @param {boolean} save
   */
  async decide({ id }, save) {
    const { message } = await this.socket.call("memory.decide", { message_id: id, save });
    this.update(message);
  }

  /**
   * Says of all calls that wait whether they are to be made: the answer goes on. Rejects as the request does.
   * @param {Api.DecisionParams[]} decisions
   */
  async resume(decisions) {
    const asked = new Map(this.approvals.map((approval) => [approval.id, approval]));
    const { run_id } = await this.socket.call("turn.resume", { session_id: this.id, decisions });
    for (const { approval_id: id, approve, ...said } of decisions) {
      const approval = asked.get(id);
      if (approval) this.decided({ ...approval, ...said, decision: approve ? "approved" : "refused" });
    }
    this.start({ run_id, status: "running" });
  }

  /**
   * Stops the running answer, or withdraws the queued one named.
   * @param {string | undefined} runId
   */
  stop(runId = this.run?.id) {
    return this.socket.call("turn.stop", { session_id: this.id, run_id: runId });
  }
}
