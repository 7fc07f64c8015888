// One file on its way to the server, with its progress. `fetch` tells none of what it sends.

/** @typedef {{ told?: any, problem?: string }} Outcome what the server has answered, or why it has nothing of the file */

const LOST = "The connection was lost. Remove it and add it again.";
const FAILED = "The server could not take this file just now. Try again in a moment.";

export class Upload {
  /**
   * @param {string} address
   * @param {string} token Django's, against pages of other sites
   * @param {File} file
   * @param {(part: number) => void} told how much of it was sent, from 0 to 1
   */
  constructor(address, token, file, told) {
    const form = new FormData();
    form.append("file", file, file.name);
    this.request = new XMLHttpRequest();
    this.request.open("POST", address);
    this.request.setRequestHeader("X-CSRFToken", token);
    this.request.upload.addEventListener("progress", ({ loaded, total }) => told(total ? loaded / total : 0));
    /** @type {Promise<Outcome>} never rejects */
    this.done = new Promise((resolve) => {
      this.request.addEventListener("load", () => resolve(this.outcome()));
      this.request.addEventListener("error", () => resolve({ problem: LOST }));
      this.request.addEventListener("abort", () => resolve({ problem: LOST }));
    });
    this.request.send(form);
  }

  cancel() {
    this.request.abort();
  }

  /** @returns {Outcome} */
  outcome() {
    try {
      const told = JSON.parse(this.request.responseText);
      return this.request.status < 300 ? { told } : { problem: told.error.message };
    } catch {
      return { problem: FAILED };
    }
  }
}
