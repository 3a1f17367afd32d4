// The rules that ship with the product, and a classifier of them. Tests and the documents of coverage ask for both in many
// places: a process makes each of them once.
import { catalogue } from '../catalogue/index.ts';
import { Classifier } from '../src/rules/classifier.ts';
import { parseCatalogue } from '../src/rules/rule-parser.ts';

export const shippedRules = parseCatalogue(catalogue);
export const shippedClassifier = new Classifier([], shippedRules);

/** Every process that a rule gives as an example, of what it is and of what it is not. */
export const shippedExamples = shippedRules.flatMap(({ examples, notExamples }) => [...examples, ...notExamples]);
