/** Switchboard's mark: two lines that are plugged together. */
export const Mark = ({ size = 28 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="9" fill="#3d4ee0" />
    <path d="M9 11.5h6.5a4.5 4.5 0 0 1 0 9H9" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
    <circle cx="22.5" cy="11.5" r="2.6" fill="#fff" />
    <circle cx="22.5" cy="20.5" r="2.6" fill="#aab3ff" />
  </svg>
)
