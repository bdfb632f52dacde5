// The few parts of the page that need code in the browser: sliders, the DVH, folders to upload, shortcuts.
(() => {
  const { ref, computed, watch, inject, onMounted, onBeforeUnmount } = window.Vue;

  // While a slider is moved, what the server says of earlier positions must not pull it back.
  const HOLD_MS = 600;

  const ReviewSlider = {
    props: {
      value: Number, min: Number, max: Number, step: Number, label: String, unit: { type: String, default: "" },
      digits: { type: Number, default: 1 }, disabled: Boolean, number: { type: Boolean, default: true },
    },
    emits: ["set"],
    setup(props, { emit }) {
      const local = ref(props.value);
      let moved = 0;
      watch(() => props.value, (value) => {
        if (performance.now() - moved > HOLD_MS) local.value = value;
      });
      const set = (event) => {
        const value = Number(event.target.value);
        if (!event.target.value || Number.isNaN(value)) return;
        moved = performance.now();
        local.value = Math.min(props.max, Math.max(props.min, value));
        emit("set", local.value);
      };
      const text = computed(() => (local.value ?? 0).toFixed(props.digits));
      return { local, set, text };
    },
    template: `
      <span class="slider">
        <input type="range" :min="min" :max="max" :step="step" :value="local" :disabled="disabled"
          :aria-label="label" :aria-valuetext="text + ' ' + unit" @input="set" />
        <input v-if="number" type="number" :min="min" :max="max" :step="step" :value="text" :disabled="disabled"
          :aria-label="label + ', as a number'" @change="set" />
        <output v-else>{{ text }}</output><span class="unit">{{ unit }}</span>
      </span>`,
  };

  const WIDTH = 460, HEIGHT = 250, LEFT = 40, RIGHT = 8, TOP = 8, BOTTOM = 34;
  const niceStep = (span) => {
    const rough = span / 6, power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  };

  const DvhChart = {
    props: { curves: Array, maxDose: Number, quantity: String },
    setup(props) {
      const at = ref(null);
      const x = (dose) => LEFT + (dose / props.maxDose) * (WIDTH - LEFT - RIGHT);
      const y = (percent) => TOP + (1 - percent / 100) * (HEIGHT - TOP - BOTTOM);
      const ticks = computed(() => {
        const step = niceStep(props.maxDose), list = [];
        for (let dose = 0; dose <= props.maxDose + 1e-9; dose += step) list.push(dose);
        return list;
      });
      // A curve is its volume in per mille at evenly spaced doses from 0 to its last.
      const path = (curve) => curve.volumes
        .map((volume, index) => `${index ? "L" : "M"}${x(curve.last * index / (curve.volumes.length - 1)).toFixed(1)} `
          + y(volume / 10).toFixed(1)).join("");
      const volumeAt = (curve, dose) => {
        const place = dose / curve.last * (curve.volumes.length - 1), below = Math.floor(place);
        if (place > curve.volumes.length - 1) return 0;
        const next = Math.min(below + 1, curve.volumes.length - 1);
        return (curve.volumes[below] * (below + 1 - place) + curve.volumes[next] * (place - below)) / 10;
      };
      const follow = (event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const dose = ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT) * props.maxDose;
        at.value = dose >= 0 && dose <= props.maxDose ? dose : null;
      };
      const key = (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        at.value = Math.min(props.maxDose, Math.max(0, (at.value ?? props.maxDose / 2) + step));
      };
      const readout = computed(() => at.value === null ? [] : props.curves
        .map((curve) => ({ ...curve, percent: volumeAt(curve, at.value) })));
      return { at, x, y, ticks, path, follow, key, readout, WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM };
    },
    template: `
      <div class="dvh" tabindex="0" @keydown="key" @blur="at = null"
        aria-label="Dose-volume histogram. Left and right arrow keys read values.">
        <svg :viewBox="'0 0 ' + WIDTH + ' ' + HEIGHT" role="img"
          :aria-label="'Cumulative dose-volume histogram of ' + curves.length + ' curves'"
          @pointermove="follow" @pointerleave="at = null">
          <g class="grid">
            <template v-for="dose in ticks" :key="'x' + dose">
              <line :x1="x(dose)" :x2="x(dose)" :y1="TOP" :y2="HEIGHT - BOTTOM" />
              <text :x="x(dose)" :y="HEIGHT - BOTTOM + 13" text-anchor="middle">{{ +dose.toFixed(1) }}</text>
            </template>
            <template v-for="percent in [0, 25, 50, 75, 100]" :key="'y' + percent">
              <line :x1="LEFT" :x2="WIDTH - RIGHT" :y1="y(percent)" :y2="y(percent)" />
              <text :x="LEFT - 5" :y="y(percent) + 3" text-anchor="end">{{ percent }}</text>
            </template>
            <text :x="(LEFT + WIDTH) / 2" :y="HEIGHT - 5" text-anchor="middle">{{ quantity }}</text>
            <text transform="rotate(-90)" :x="-(HEIGHT - BOTTOM) / 2" y="10" text-anchor="middle">Volume (%)</text>
          </g>
          <path v-for="curve in curves" :key="curve.key" :d="path(curve)" :stroke="curve.colour" class="curve"
            :stroke-dasharray="curve.dash" :data-organ="curve.organ"><title>{{ curve.label }}</title></path>
          <line v-if="at !== null" class="cursor" :x1="x(at)" :x2="x(at)" :y1="TOP" :y2="HEIGHT - BOTTOM" />
        </svg>
        <div v-if="readout.length" class="readout" aria-live="polite" :class="{ left: at > maxDose / 2 }">
          <b>{{ at.toFixed(1) }} Gy</b>
          <span v-for="curve in readout" :key="curve.key">
            <i :style="{ background: curve.colour }"></i>{{ curve.label }} {{ curve.percent.toFixed(1) }} %
          </span>
        </div>
      </div>`,
  };

  const FolderUpload = {
    props: { slotName: String, label: String },
    emits: ["sent"],
    setup(props, { emit }) {
      const text = ref("");
      const send = async (event) => {
        const files = [...event.target.files];
        let done = 0;
        const queue = files.slice();
        const failures = [];
        const worker = async () => {
          for (let file = queue.pop(); file; file = queue.pop()) {
            const name = encodeURIComponent(file.webkitRelativePath || file.name);
            const answer = await fetch(`upload?slot=${props.slotName}&name=${name}`, { method: "POST", body: file });
            if (!answer.ok) { failures.push(await answer.text()); queue.length = 0; }
            done += 1;
            text.value = `${done} of ${files.length} files sent`;
          }
        };
        await Promise.all([worker(), worker(), worker()]);
        if (failures.length) text.value = failures[0];
        else emit("sent", files.length);
      };
      return { text, send };
    },
    template: `
      <label class="upload"><span>{{ label }}</span>
        <input type="file" webkitdirectory multiple @change="send" /><span role="status">{{ text }}</span></label>`,
  };

  // Shortcuts act where no control has the focus that would want the key itself.
  const KEYS = { 1: "four", 2: "axial", 3: "sagittal", 4: "coronal", 5: "three_d", 6: "courses" };
  const shortcut = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input[type=number], input[type=text], select, textarea, dialog")) return;
    const trame = window.trame;
    if (KEYS[event.key]) trame.trigger("show_layout", [KEYS[event.key]]);
    else if ("fic".includes(event.key)) trame.trigger("toggle_display", [event.key]);
    else if (event.key === "?") document.querySelector("#help")?.showModal();
    else return;
    event.preventDefault();
  };

  const ReviewShortcuts = {
    setup() {
      onMounted(() => document.addEventListener("keydown", shortcut));
      onBeforeUnmount(() => document.removeEventListener("keydown", shortcut));
    },
    template: "<span hidden></span>",
  };

  const theme = {
    get: () => localStorage.getItem("reirradiation-review-theme") || "",
    set(name) {
      localStorage.setItem("reirradiation-review-theme", name);
      document.documentElement.dataset.theme = name;
    },
  };
  document.documentElement.dataset.theme = theme.get();

  window.reviewPage = {
    toggleTheme() {
      const isDark = getComputedStyle(document.documentElement).colorScheme === "dark"
        || (!theme.get() && matchMedia("(prefers-color-scheme: dark)").matches);
      theme.set(isDark ? "light" : "dark");
    },
    open: (id) => document.querySelector(id)?.showModal(),
    // Follows a link that the server made, which starts the download.
    async download(what) {
      const address = await window.trame.trigger("download", [what]);
      if (address) Object.assign(document.createElement("a"), { href: address, download: "" }).click();
    },
    install(app) {
      app.component("ReviewSlider", ReviewSlider);
      app.component("DvhChart", DvhChart);
      app.component("FolderUpload", FolderUpload);
      app.component("ReviewShortcuts", ReviewShortcuts);
    },
  };
})();
