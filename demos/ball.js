// A ball under the chosen light. Its value is {across, up} in degrees; letting go submits it.
const canvas = element.querySelector("canvas");
const pen = canvas.getContext("2d");
const half = canvas.width / 2;
const degrees = 180 / Math.PI;
let held = false;

const draw = () => {
  const { across = 0, up = 0 } = props.value || {};
  const [a, u] = [across / degrees, up / degrees];
  const light = [Math.cos(u) * Math.sin(a), Math.sin(u), Math.cos(u) * Math.cos(a)];
  const picture = pen.createImageData(canvas.width, canvas.height);
  for (let row = 0; row < canvas.height; row += 1) {
    for (let column = 0; column < canvas.width; column += 1) {
      const [x, y] = [(column + 0.5 - half) / half, (half - row - 0.5) / half];
      const inside = 1 - x * x - y * y;
      if (inside <= 0) continue;
      const shade = 0.25 + 0.75 * Math.max(0, x * light[0] + y * light[1] + Math.sqrt(inside) * light[2]);
      picture.data.set([235 * shade, 225 * shade, 210 * shade, 255], 4 * (row * canvas.width + column));
    }
  }
  pen.putImageData(picture, 0, 0);
  pen.beginPath();
  pen.arc(half + 0.94 * half * light[0], half - 0.94 * half * light[1], 7, 0, 2 * Math.PI);
  pen.fillStyle = "#fff";
  pen.fill();
  pen.strokeStyle = "#000";
  pen.stroke();
};
const point = (event) => {
  const box = canvas.getBoundingClientRect();
  let [x, y] = [event.clientX - box.left - box.width / 2, box.top + box.height / 2 - event.clientY];
  const far = Math.max(1, Math.hypot(x, y) / (0.499 * box.width)) * box.width / 2;
  [x, y] = [x / far, y / far];
  const up = Math.asin(y);
  props.value = { across: Math.round(Math.asin(Math.max(-1, Math.min(1, x / Math.cos(up)))) * degrees), up: Math.round(up * degrees) };
  draw();
};

canvas.addEventListener("pointerdown", (event) => {
  held = true;
  canvas.setPointerCapture(event.pointerId);
  point(event);
});
canvas.addEventListener("pointermove", (event) => { if (held) point(event); });
canvas.addEventListener("pointerup", () => { if (held) trigger("submit"); held = false; });
canvas.addEventListener("pointercancel", () => { held = false; });
watch("value", draw);
draw();
