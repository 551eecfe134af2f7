// One press is one order. What follows a press at once, the second click of a double click or a key that is held down,
// would hit what has come in its place: Resume after Hold, or another button where the page has moved up. Keys of a
// keypad (`data-often`) are meant as often as they are pressed.

const PRESSED = "button, summary, a[href]";
const isOften = (target) => Boolean(target.closest?.("[data-often]"));

function refuse(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

addEventListener("click", (event) => event.detail > 1 && event.target.closest?.(PRESSED) && !isOften(event.target) && refuse(event), true);
addEventListener(
  "keydown",
  (event) => {
    if (event.repeat && (event.key === "Enter" || event.key === " ") && event.target.matches?.(PRESSED)) refuse(event);
  },
  true,
);
