// A photograph, an edit or a preset from a file, the clipboard, a drop or the camera travels as its bytes: the server opens no path of ours.
const file = element.querySelector("input[type=file]");
const video = element.querySelector("video");
const camera = element.querySelector(".camera");
const told = element.querySelector(".told");

const consent = element.querySelector(".consent");
let agreed = false;  // asked once per visit, before the first picture
let asking = null;

const send = (blob, name) => {
  told.textContent = "";
  if (blob.size > props.most_bytes) {
    told.textContent = `${name} has ${Math.round(blob.size / 1e6)} MB, at most ${props.most_bytes / 1e6} are taken.`;
    return;
  }
  if (!agreed && !name.toLowerCase().endsWith(".json")) {
    asking = [blob, name];
    element.querySelector(".name").textContent = name;
    consent.hidden = false;
    return;
  }
  const reader = new FileReader();
  reader.onload = () => {
    props.value = { name, agreed, data: reader.result.split(",")[1] || "" };
    trigger("submit");
  };
  reader.readAsDataURL(blob);
};
const answer = (yes) => {
  consent.hidden = true;
  agreed = yes;
  if (yes && asking) send(...asking);
  asking = null;
};
const stop = () => {
  (video.srcObject ? video.srcObject.getTracks() : []).forEach((track) => track.stop());
  video.srcObject = null;
  video.hidden = true;
  camera.textContent = "Camera";
};
const shoot = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => send(blob, "camera.png"), "image/png");
  stop();
};
const look = async () => {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    video.hidden = false;
    camera.textContent = "Take the picture";
  } catch (reason) {
    told.textContent = `The camera cannot be used: ${reason.message}`;
  }
};

file.accept = props.types;
element.querySelector(".agree").addEventListener("click", () => answer(true));
element.querySelector(".decline").addEventListener("click", () => answer(false));
element.querySelector(".choose").addEventListener("click", () => file.click());
camera.addEventListener("click", () => (video.srcObject ? shoot() : look()));
file.addEventListener("change", () => {
  if (file.files[0]) send(file.files[0], file.files[0].name);
  file.value = "";
});
element.addEventListener("dragover", (event) => event.preventDefault());
element.addEventListener("drop", (event) => {
  event.preventDefault();
  const dropped = event.dataTransfer.files[0];
  if (dropped) send(dropped, dropped.name);
});
document.addEventListener("paste", (event) => {
  const pasted = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (pasted) send(pasted, "pasted.png");
});
