// What a tab knows of its conversation: where it is kept, its address, and text that must outlive a reload.
export class Kept {
  constructor(root) {
    this.root = root;
    this.keeps = root.dataset.keeps === "yes";
    this.here = location.pathname + location.search;
    this.mend();
    // Back and forward to another address of this page: what stands there is the server's to say.
    addEventListener("popstate", () => {
      if (location.pathname + location.search !== this.here) location.reload();
    });
  }

  // Back and forward before this was here: the address may be another's than what the server rendered. It is loaded
  // once more, which the entry of the history remembers: where that does not help either, it stays.
  mend() {
    const { again, ...state } = history.state ?? {};
    if (again) history.replaceState(state, "");
    if (again || this.rendered()) return;
    history.replaceState({ ...state, again: true }, "");
    location.reload();
  }

  // Whether what stands here is what the address names. A form's answer has an address that names nothing.
  rendered() {
    const [, place, name] = location.pathname.split("/");
    if (place === "conversations") return !name || name === this.id;
    const asked = Boolean(new URLSearchParams(location.search).get("q")?.trim());
    const fresh = this.root.querySelector("[data-intro]") && !this.root.querySelector("textarea").defaultValue;
    return place !== "" || (!this.id && asked !== Boolean(fresh));
  }

  get id() {
    return this.root.dataset.conversation;
  }

  // The address of a question before it is kept: loaded again it is asked again. The first one leaves a way back.
  asking(question) {
    if (this.id) return;
    const fresh = location.pathname === "/" && !location.search;
    this.forget();
    this.go(`/?${new URLSearchParams({ q: question })}`, fresh);
  }

  // Kept: the address is the conversation's, and so is the form that works without scripts.
  stored({ conversation, title }) {
    const begun = this.id !== conversation;
    this.root.dataset.conversation = conversation;
    const field = this.root.querySelector("[data-form] [name=conversation]");
    if (field) field.value = conversation;
    if (begun) {
      this.go(`/conversations/${conversation}`, false);
      this.head(conversation, title);
    }
    this.list(conversation, title);
  }

  // What stands above a conversation when it is loaded.
  head(conversation, title) {
    const header = document.querySelector("[data-thread-template]").content.firstElementChild.cloneNode(true);
    header.querySelector("[data-title]").textContent = title;
    for (const link of header.querySelectorAll("a")) {
      link.setAttribute("href", link.getAttribute("href").replaceAll("CONVERSATION", conversation));
    }
    const before = this.root.querySelector("[data-heading]");
    if (before) before.replaceWith(header); else this.root.querySelector("[data-thread]").replaceWith(header);
  }

  // The conversation was deleted elsewhere: what is asked next begins another.
  leave() {
    this.root.dataset.conversation = "";
    this.go("/", false);
  }

  go(address, push) {
    history[push ? "pushState" : "replaceState"](null, "", address);
    this.here = address;
  }

  // The latest conversation is the first in the list beside the page.
  list(conversation, title) {
    const nav = document.querySelector("[data-asked]");
    if (!nav) return;
    const items = nav.querySelector("ol");
    const address = `/conversations/${conversation}`;
    let item = [...items.children].find((one) => one.firstElementChild.getAttribute("href") === address);
    if (!item) {
      item = document.createElement("li");
      const link = document.createElement("a");
      link.href = address;
      link.textContent = title;
      item.append(link);
    }
    for (const link of items.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    item.firstElementChild.setAttribute("aria-current", "page");
    items.prepend(item);
    nav.hidden = false;
  }

  // Unsent text, and a question whose answer has not come yet.
  remember(text) {
    try {
      if (text.trim()) sessionStorage.setItem(`ask ${this.here}`, text);
      else this.forget();
    } catch { /* storage may be off; the text is still in the box */ }
  }

  remembered() {
    try {
      return sessionStorage.getItem(`ask ${this.here}`) ?? "";
    } catch {
      return "";
    }
  }

  forget() {
    try { sessionStorage.removeItem(`ask ${this.here}`); } catch { /* as above */ }
  }
}
