// The sign-in page: shows the organisation whose code is typed, counts down the wait after too many attempts, and
// shows that it is at work.

const form = document.querySelector(".signin");
const button = form.querySelector("button[type=submit]");
const problem = form.querySelector(".problem");
const label = button.textContent;

problem?.focus();
if (problem?.dataset.retry) countDown(Number(problem.dataset.retry));

form.addEventListener("submit", () => {
  button.setAttribute("aria-busy", "true");
  button.textContent = "Signing in…";
});

// A page that the browser has kept must not look as if it were still at work.
addEventListener("pageshow", () => {
  button.removeAttribute("aria-busy");
  if (!button.disabled) button.textContent = label;
});

function countDown(seconds) {
  button.disabled = seconds > 0;
  button.textContent = seconds > 0 ? `Try again in ${seconds} s` : label;
  if (seconds > 0) setTimeout(countDown, 1000, seconds - 1);
}

// The page for a code has the organisation's face and help; only they are taken of it.
form.querySelector("#code")?.addEventListener("change", async ({ target }) => {
  try {
    const reply = await fetch(`/?code=${encodeURIComponent(target.value)}`, { headers: { Accept: "text/html" } });
    if (!reply.ok || reply.redirected) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const id of ["brand", "help"]) document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    document.getElementById("stay").hidden = page.getElementById("stay").hidden;
  } catch {
    // It is only the looks.
  }
});
