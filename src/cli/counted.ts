// A number with its noun in messages: "1 process", "2 processes".

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export const countedProcesses = (count: number): string => counted(count, 'process', 'processes');
