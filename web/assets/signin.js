// The sign-in page: shows the organisation whose code is typed, counts down the wait after too many attempts, and
// shows that it is at work.

const form = document.querySelector(".signin");
const problem = form.querySelector(".problem");
const label = "Sign in";
// There is none where the organisation takes no passwords.
const button = () => form.querySelector("button[type=submit]");

problem?.focus();
if (problem?.dataset.retry) countDown(Number(problem.dataset.retry));

form.addEventListener("submit", () => {
  button()?.setAttribute("aria-busy", "true");
  if (button()) button().textContent = "Signing in…";
});

// A page that the browser has kept must not look as if it were still at work.
addEventListener("pageshow", () => {
  button()?.removeAttribute("aria-busy");
  if (button() && !button().disabled) button().textContent = label;
});

function countDown(seconds) {
  if (!button()) return;
  button().disabled = seconds > 0;
  button().textContent = seconds > 0 ? `Try again in ${seconds} s` : label;
  if (seconds > 0) setTimeout(countDown, 1000, seconds - 1);
}

// The page for a code has the organisation's face and help; only they are taken of it.
form.querySelector("#code")?.addEventListener("change", async ({ target }) => {
  try {
    const reply = await fetch(`/?code=${encodeURIComponent(target.value)}`, { headers: { Accept: "text/html" } });
    if (!reply.ok || reply.redirected) return;
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const id of ["brand", "help"]) document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    const means = page.getElementById("means");
    const was = document.getElementById("means");
    // What is typed stays, unless there are other ways to sign in.
    if (ways(means) !== ways(was)) was.replaceWith(document.adoptNode(means));
    else if (page.getElementById("stay")) document.getElementById("stay").hidden = page.getElementById("stay").hidden;
  } catch {
    // It is only the looks.
  }
});

function ways(means) {
  return `${Boolean(means.querySelector("#password"))} ${means.querySelector("a")?.href}`;
}
