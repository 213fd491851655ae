// The sign-in page: counts down the wait after too many attempts, and shows that it is at work.

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
