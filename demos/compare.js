// Before and after under one handle, or their difference, near or far. A value brings one picture or both, so that a
// draft carries only what is new.
const root = element.querySelector(".compare");
const frame = element.querySelector(".frame");
const stage = element.querySelector(".stage");
const gap = element.querySelector(".gap");
const range = element.querySelector("input[type=range]");
const MOST = 8;
let view = { zoom: 1, x: 0, y: 0 };  // the stage's scale, and its shift in pixels of the screen
let held = null;
let grabbed = null;  // where a pull began, on the screen

// Drawn at the pictures' own size: blended where they are scaled, two equal pictures would differ at seams of the screen.
const differ = async () => {
  if (!root.classList.contains("differing") || root.classList.contains("empty")) return;
  const pictures = [".before", ".after"].map((name) => element.querySelector(name));
  try {
    await Promise.all(pictures.map((each) => each.decode()));
  } catch {
    return;  // another picture came meanwhile, and is drawn when it is there
  }
  const [before, after] = pictures;
  [gap.width, gap.height] = [before.naturalWidth, before.naturalHeight];
  const pen = gap.getContext("2d");
  pen.drawImage(before, 0, 0);
  pen.globalCompositeOperation = "difference";
  pen.drawImage(after, 0, 0, gap.width, gap.height);
};
const place = () => root.style.setProperty("--at", `${range.value}%`);
const show = () => {
  const value = props.value || {};
  if (value.before) element.querySelector(".before").src = value.before;
  if (value.after) element.querySelector(".after").src = value.after;
  root.classList.toggle("empty", !element.querySelector(".after").getAttribute("src"));
  differ();
};
const look = () => {
  const inside = (shift, length) => Math.min(0, Math.max(shift, length * (1 - view.zoom)));
  view.x = inside(view.x, frame.clientWidth);
  view.y = inside(view.y, frame.clientHeight);
  stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.zoom})`;
  root.style.setProperty("--zoom", view.zoom);
  root.classList.toggle("near", view.zoom > 1);
  element.querySelector(".zoom").textContent = `${Math.round(view.zoom * 100)} %`;
};
// What lies under (x, y) of the frame stays there.
const zoom = (factor, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
  const wanted = Math.min(MOST, Math.max(1, view.zoom * factor));
  const grown = wanted / view.zoom;
  view = { zoom: wanted, x: x - (x - view.x) * grown, y: y - (y - view.y) * grown };
  look();
};
const at = (event) => {
  const box = frame.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

range.addEventListener("input", place);
element.querySelector(".in").addEventListener("click", () => zoom(1.5));
element.querySelector(".out").addEventListener("click", () => zoom(1 / 1.5));
element.querySelector(".whole").addEventListener("click", () => zoom(0));
element.querySelector(".difference").addEventListener("click", (event) => {
  const on = root.classList.toggle("differing");
  event.target.setAttribute("aria-pressed", on);
  differ();
});
frame.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
frame.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;  // a plain wheel scrolls the page
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 300), ...at(event));
}, { passive: false });
// Shares of the picture that lies inside the stage.
const share = ([x, y]) => {
  const after = element.querySelector(".after");
  const [wide, high] = [after.naturalWidth, after.naturalHeight];
  const [box, around] = [element.querySelector(".before").getBoundingClientRect(), frame.getBoundingClientRect()];
  const scale = Math.min(box.width / wide, box.height / high);
  const inside = (shift, length, own) => Math.min(1, Math.max(0, (shift - (length - own * scale) / 2) / (own * scale)));
  return [inside(x + around.left - box.left, box.width, wide), inside(y + around.top - box.top, box.height, high)];
};
const draw = (from, to) => {
  root.classList.toggle("pulled", Boolean(from));
  if (!from) return;
  const [line, end] = [element.querySelector(".grip line"), element.querySelector(".grip circle")];
  Object.entries({ x1: from[0], y1: from[1], x2: to[0], y2: to[1] }).forEach(([k, v]) => line.setAttribute(k, v));
  end.setAttribute("cx", to[0]);
  end.setAttribute("cy", to[1]);
};
const release = (event) => {
  if (grabbed && event.type === "pointerup") {
    const to = at(event);
    if (Math.hypot(to[0] - grabbed[0], to[1] - grabbed[1]) > 3) {
      props.value = { pull: [...share(grabbed), ...share(to)] };
      trigger("submit");
    }
  }
  grabbed = held = null;
  draw(null);
};
element.querySelector(".pull").addEventListener("click", (event) => {
  event.target.setAttribute("aria-pressed", root.classList.toggle("pulling"));
});
frame.addEventListener("pointerdown", (event) => {
  if (root.classList.contains("pulling")) {
    grabbed = at(event);
    draw(grabbed, grabbed);
    frame.setPointerCapture(event.pointerId);
    return;
  }
  if (view.zoom === 1) return;
  held = [event.clientX - view.x, event.clientY - view.y];
  frame.setPointerCapture(event.pointerId);
});
frame.addEventListener("pointermove", (event) => {
  if (grabbed) draw(grabbed, at(event));
  if (!held) return;
  [view.x, view.y] = [event.clientX - held[0], event.clientY - held[1]];
  look();
});
["pointerup", "pointercancel"].forEach((name) => frame.addEventListener(name, release));
frame.addEventListener("dragstart", (event) => event.preventDefault());
watch("value", show);
place();
look();
show();
