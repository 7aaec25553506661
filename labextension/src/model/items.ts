/** Objects whose order is a matter of the person who wrote them. */
export type Items<T> = { [key: string]: T };

/** The same items with one of them called something else. */
export function renameKey<T>(
  items: Items<T>,
  from: string,
  to: string
): Items<T> {
  return Object.fromEntries(
    Object.entries(items).map(([key, item]) => [key === from ? to : key, item])
  );
}

export function omit<T>(items: Items<T>, keys: ReadonlySet<string>): Items<T> {
  return Object.fromEntries(
    Object.entries(items).filter(([key]) => !keys.has(key))
  );
}

/** The same items with one of them some places further down, or with a negative number further up. */
export function moveKey<T>(items: Items<T>, key: string, by: number): Items<T> {
  return Object.fromEntries(
    moved(Object.entries(items), keyAt(items, key), by)
  );
}

function keyAt(items: object, key: string): number {
  return Object.keys(items).indexOf(key);
}

function moved<T>(list: T[], from: number, by: number): T[] {
  const to = Math.min(Math.max(from + by, 0), list.length - 1);
  if (from < 0 || to === from) {
    return list;
  }
  const rest = list.filter((_, index) => index !== from);
  return [...rest.slice(0, to), list[from], ...rest.slice(to)];
}

/** An object with one field changed; an empty text, an empty list or undefined removes it. */
export function withField<T extends object>(
  object: T,
  field: string,
  value: unknown
): T {
  const isEmpty =
    value === undefined ||
    value === '' ||
    (Array.isArray(value) && value.length === 0);
  return (
    isEmpty
      ? omit(object as Items<unknown>, new Set([field]))
      : { ...object, [field]: value }
  ) as T;
}
