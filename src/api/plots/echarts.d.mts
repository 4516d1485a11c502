// The types of echarts.mjs.
export { LineChart, ScatterChart } from "echarts/charts";
export { GraphicComponent, GridComponent, MarkLineComponent, TitleComponent } from "echarts/components";
export { init, use } from "echarts/core";
export { SVGRenderer } from "echarts/renderers";
