/** The looks: one accent, quiet surfaces, the same in light and dark. */
import { type CSSVariablesResolver, createTheme } from "@mantine/core"

const dialogProps = {
  // A dialog's head is not the page's.
  attributes: { header: { role: "presentation" } },
  closeButtonProps: { "aria-label": "Close" }
}

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.4,
  fontFamily: 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif',
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  fontSizes: { xs: "12px", sm: "13.5px", md: "15px", lg: "17px", xl: "20px" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  headings: { fontWeight: "650" },
  colors: {
    indigo: [
      "#eef0ff",
      "#dfe3ff",
      "#bfc7ff",
      "#9ca8fb",
      "#7f8df6",
      "#6b7bf2",
      "#4f60e8",
      "#3d4ee0",
      "#3341c4",
      "#2a369f"
    ],
    dark: ["#e3e5ec", "#b9bdca", "#9aa0b1", "#6f7688", "#3d4352", "#2c313d", "#22262f", "#181b22", "#12151b", "#0d0f14"]
  },
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, events: { hover: true, focus: true, touch: true } } },
    Menu: { defaultProps: { shadow: "md", withinPortal: true } },
    Drawer: { defaultProps: dialogProps },
    Modal: {
      defaultProps: { ...dialogProps, centered: true, overlayProps: { backgroundOpacity: 0.5 } },
      styles: { title: { fontWeight: 600, lineHeight: 1.35 } }
    }
  }
})

export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5b6172",
    "--sb-page": "#f4f5f8",
    "--sb-pane": "#ffffff",
    "--sb-raised": "#f3f4f8",
    "--sb-hover": "#f6f7fb",
    "--sb-chosen": "#eceffe",
    "--sb-line": "#e4e6ed",
    "--sb-in": "#f0f2f6",
    "--sb-out": "#e7eaff",
    "--sb-note": "#fff6dd",
    "--sb-note-line": "#efd998",
    "--sb-mark": "#ffe69a",
    "--sb-green": "#17743b",
    "--sb-amber": "#8a5200",
    "--sb-red": "#b42318",
    "--sb-green-soft": "#e3f5e9",
    "--sb-amber-soft": "#fff0d6",
    "--sb-red-soft": "#fde7e4"
  },
  dark: {
    "--mantine-color-body": "#14171d",
    "--mantine-color-dimmed": "#a0a6b6",
    "--sb-page": "#0d0f14",
    "--sb-pane": "#14171d",
    "--sb-raised": "#1d212a",
    "--sb-hover": "#1a1e26",
    "--sb-chosen": "#212743",
    "--sb-line": "#262b36",
    "--sb-in": "#21262f",
    "--sb-out": "#2a3264",
    "--sb-note": "#33290f",
    "--sb-note-line": "#5c4a1c",
    "--sb-mark": "#66521a",
    "--sb-green": "#6fd695",
    "--sb-amber": "#ffc069",
    "--sb-red": "#ff9a90",
    "--sb-green-soft": "#12301e",
    "--sb-amber-soft": "#3a2a0c",
    "--sb-red-soft": "#421a17"
  }
})
