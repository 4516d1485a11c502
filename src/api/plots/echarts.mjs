// The parts of ECharts that charts are drawn with: bundled by build.mjs, since the package is 60 MB, nearly all of it unused here.
export { LineChart, ScatterChart } from "echarts/charts";
export { GraphicComponent, GridComponent, MarkLineComponent, TitleComponent } from "echarts/components";
export { init, use } from "echarts/core";
export { SVGRenderer } from "echarts/renderers";
