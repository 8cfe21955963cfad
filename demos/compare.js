// Before and after under one handle. A value brings one picture or both, so that a draft carries only what is new.
const range = element.querySelector("input");
const frame = element.querySelector(".compare");
const place = () => frame.style.setProperty("--at", `${range.value}%`);
const show = () => {
  const value = props.value || {};
  if (value.before) element.querySelector(".before").src = value.before;
  if (value.after) element.querySelector(".after").src = value.after;
  frame.classList.toggle("empty", !element.querySelector(".after").getAttribute("src"));
};
range.addEventListener("input", place);
watch("value", show);
place();
show();
