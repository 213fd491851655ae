// Files: dropped onto the desktop or chosen they go to its Desktop folder; the panel lists
// those to take.

const sizes = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

export class Files {
  constructor(id, panel, drop, say, may) {
    Object.assign(this, { at: `/desktop/${id}/files`, panel, drop, say, may });
    this.list = panel.querySelector(".files");
    this.work = panel.querySelector(".work");
    if (may.give) this.listen();
    panel.addEventListener("opened", () => may.take && this.refresh());
  }

  listen() {
    let depth = 0; // of elements that a file is dragged over
    const carries = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => { if (carries(event)) { depth++; this.drop.hidden = false; } });
    addEventListener("dragleave", (event) => { if (carries(event) && --depth <= 0) { depth = 0; this.drop.hidden = true; } });
    addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth = 0;
      this.drop.hidden = true;
      const folder = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).find((entry) => entry?.isDirectory);
      if (folder) return this.say(`${folder.name} is a folder. Pack it into one file first, and unpack that in the desktop.`);
      this.give([...event.dataTransfer.files]);
    });
    const input = this.panel.querySelector("input[type=file]");
    this.panel.querySelector("[data-do=choose]").addEventListener("click", () => input.click());
    input.addEventListener("change", () => { this.give([...input.files]); input.value = ""; });
  }

  // give puts files onto the desktop, one after the other. Each can be given up while it waits or is on its way.
  async give(files) {
    const all = files.map((file) => this.pending(file));
    this.panel.dispatchEvent(new Event("wanted"));
    for (const { file, row, progress, stop } of all) {
      if (stop.signal.aborted) continue;
      try {
        const put = await this.put(file, (share) => { progress.value = share; }, stop.signal);
        row.remove();
        this.say(`${put.name ?? file.name} is on the desktop.`);
      } catch (error) {
        if (stop.signal.aborted) continue;
        progress.replaceWith(Object.assign(document.createElement("span"), { className: "problem", textContent: error.message }));
        this.say(`${file.name}: ${error.message}`);
        setTimeout(() => row.remove(), 15000);
      }
    }
    if (this.may.take && !this.panel.hidden) this.refresh();
  }

  // pending shows a file that is to be sent.
  pending(file) {
    const stop = new AbortController(), row = document.createElement("li");
    row.innerHTML = `<span class="file-name"></span><button type="button">×</button><progress max="1" value="0"></progress>`;
    const [name, button, progress] = row.children;
    name.textContent = file.name;
    progress.setAttribute("aria-label", `Sending ${file.name}`);
    button.setAttribute("aria-label", `Do not send ${file.name}`);
    button.addEventListener("click", () => { stop.abort(); row.remove(); });
    this.work.append(row);
    return { file, row, progress, stop };
  }

  // put sends a file. fetch does not tell how far it is.
  put(file, progress, stop) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("PUT", `${this.at}/Desktop/${encodeURIComponent(file.name)}`);
      request.responseType = "json";
      request.setRequestHeader("Accept", "application/json");
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = () => reject(new Error("The line was lost."));
      request.onabort = () => reject(new Error("Given up."));
      stop.addEventListener("abort", () => request.abort());
      request.onload = () => request.status < 300 ? resolve(request.response ?? {}) :
        reject(new Error(request.response?.text ?? request.response?.message ?? `The desktop refused it (${request.status}).`));
      request.send(file);
    });
  }

  async refresh() {
    this.list.setAttribute("aria-busy", "true");
    try {
      const reply = await fetch(this.at, { headers: { Accept: "application/json" } });
      const said = await reply.json();
      if (!reply.ok) throw new Error(said.text ?? said.message);
      this.list.replaceChildren(...(said.files ?? []).map((file) => this.row(file)));
      this.none((said.files ?? []).length > 0 ? "" : "No files in the folders Desktop, Downloads and Documents.");
      this.panel.querySelector(".more").hidden = !said.more;
    } catch (error) {
      this.none(error.message || "The files cannot be listed now.");
    }
    this.list.removeAttribute("aria-busy");
  }

  none(why) {
    const line = this.panel.querySelector(".none");
    line.textContent = why;
    line.hidden = why === "";
  }

  row({ folder, name, size, modified }) {
    const link = document.createElement("a");
    link.href = `${this.at}/${encodeURIComponent(folder)}/${encodeURIComponent(name)}`;
    link.download = name;
    link.textContent = name;
    const detail = document.createElement("span");
    detail.className = "hint";
    detail.textContent = `${folder} · ${bytes(size)} · ${new Date(modified).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })}`;
    const row = document.createElement("li");
    row.append(link, detail);
    return row;
  }
}

function bytes(n) {
  for (const unit of ["B", "kB", "MB"]) {
    if (n < 1000) return `${sizes.format(n)} ${unit}`;
    n /= 1000;
  }
  return `${sizes.format(n)} GB`;
}
