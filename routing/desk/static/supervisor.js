// The big screen: nothing but the figures, for a wall. `?big` in the address begins with it.

const KEPT = "switchroom.big-screen";
for (const button of document.querySelectorAll("[data-big-screen]")) {
  const show = (isBig) => {
    document.documentElement.toggleAttribute("data-big-screen", isBig);
    button.setAttribute("aria-pressed", String(isBig));
    localStorage.setItem(KEPT, isBig ? "1" : "");
    window.dispatchEvent(new Event("resize"));
  };
  show(localStorage.getItem(KEPT) === "1" || new URLSearchParams(location.search).has("big"));
  button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));
}
