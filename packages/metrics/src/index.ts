/**
 * Measures, folds, sketches and reports over plain signals.
 *
 * @module
 */
export * as Bucket from "./Bucket.ts"
export * as Dimensions from "./Dimensions.ts"
export * as Fold from "./Fold.ts"
export * as Measure from "./Measure.ts"
export * as Measures from "./Measures.ts"
export * as MetricSignal from "./MetricSignal.ts"
export * as Moment from "./Moment.ts"
export * as Report from "./Report.ts"
export * as Result from "./Result.ts"
export * as Sample from "./Sample.ts"
export * as Sketch from "./Sketch.ts"
