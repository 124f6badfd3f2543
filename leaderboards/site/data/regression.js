RECMERGE.take("regression",
{
"suite":"regression",
"title":"A small suite that guards the committed boards",
"label":"smoke",
"about":"Smoke board: small fixed budgets that show that everything runs. It carries no verdicts, and its numbers say nothing about methods.",
"command":"recmerge-bench run --suite regression",
"metrics":[
"NDCG@10",
"HR@10",
"MRR"
],
"tables":[
{
"track":"merging",
"protocol":"loo",
"domains":[
"action",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, romance"],
["source of the shared base","drama"],
["split","leave-one-out per domain, full ranking (min_length=3, scope=domain)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 840, romance 926"],
["seeds","0"]
],
"reference":"fine-tune",
"compared":[],
"across":null,
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0926183,null,[0.0926183]],"romance":[0.0786699,null,[0.0786699]],"mean":[0.0856441,null,[0.0856441]]},"HR@10":{"action":[0.186905,null,[0.186905]],"romance":[0.151188,null,[0.151188]],"mean":[0.169046,null,[0.169046]]},"MRR":{"action":[0.0847158,null,[0.0847158]],"romance":[0.0809052,null,[0.0809052]],"mean":[0.0828105,null,[0.0828105]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.29,"peak":502},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.176712,null,[0.176712]],"romance":[0.181639,null,[0.181639]],"mean":[0.179175,null,[0.179175]]},"HR@10":{"action":[0.297619,null,[0.297619]],"romance":[0.313175,null,[0.313175]],"mean":[0.305397,null,[0.305397]]},"MRR":{"action":[0.158958,null,[0.158958]],"romance":[0.16029,null,[0.16029]],"mean":[0.159624,null,[0.159624]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.18,"merge":0,"other":0.34,"peak":521},"gaps":[]},
{"id":"ac4fa8","backbone":"sasrec","method":"fine-tune","label":"fine-tune","page":"fine-tune","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.153991,null,[0.153991]],"romance":[0.140129,null,[0.140129]],"mean":[0.14706,null,[0.14706]]},"HR@10":{"action":[0.284524,null,[0.284524]],"romance":[0.280778,null,[0.280778]],"mean":[0.282651,null,[0.282651]]},"MRR":{"action":[0.135165,null,[0.135165]],"romance":[0.120012,null,[0.120012]],"mean":[0.127589,null,[0.127589]]}},"shares":{"NDCG@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"HR@10":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1},"MRR":{"action":1,"romance":1,"mean of ratios":1,"ratio of means":1}},"cost":{"train":2.55,"merge":0,"other":0.4,"peak":502},"gaps":[]},
{"id":"c4d691","backbone":"bert4rec","method":"joint","label":"joint","page":"joint","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.113695,null,[0.113695]],"romance":[0.0984609,null,[0.0984609]],"mean":[0.106078,null,[0.106078]]},"HR@10":{"action":[0.234524,null,[0.234524]],"romance":[0.206263,null,[0.206263]],"mean":[0.220394,null,[0.220394]]},"MRR":{"action":[0.0975828,null,[0.0975828]],"romance":[0.0864334,null,[0.0864334]],"mean":[0.0920081,null,[0.0920081]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.9,"merge":0,"other":0.48,"peak":503},"gaps":[]},
{"id":"b191a2","backbone":"sasrec","method":"weight-averaging","label":"weight-averaging","page":"weight-averaging","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.151698,null,[0.151698]],"romance":[0.140404,null,[0.140404]],"mean":[0.146051,null,[0.146051]]},"HR@10":{"action":[0.280952,null,[0.280952]],"romance":[0.284017,null,[0.284017]],"mean":[0.282485,null,[0.282485]]},"MRR":{"action":[0.133923,null,[0.133923]],"romance":[0.118884,null,[0.118884]],"mean":[0.126403,null,[0.126403]]}},"shares":{"NDCG@10":{"action":0.985105,"romance":1.00196,"mean of ratios":0.993533,"ratio of means":0.993135},"HR@10":{"action":0.987448,"romance":1.01154,"mean of ratios":0.999493,"ratio of means":0.999413},"MRR":{"action":0.990805,"romance":0.990601,"mean of ratios":0.990703,"ratio of means":0.990709}},"cost":{"train":2.55,"merge":0.01,"other":0.41,"peak":475},"gaps":[]},
{"id":"1fc328","backbone":"sasrec","method":"task-arithmetic","label":"task-arithmetic (scale=0.4)","page":"task-arithmetic","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.150596,null,[0.150596]],"romance":[0.139735,null,[0.139735]],"mean":[0.145165,null,[0.145165]]},"HR@10":{"action":[0.278571,null,[0.278571]],"romance":[0.279698,null,[0.279698]],"mean":[0.279135,null,[0.279135]]},"MRR":{"action":[0.133216,null,[0.133216]],"romance":[0.119528,null,[0.119528]],"mean":[0.126372,null,[0.126372]]}},"shares":{"NDCG@10":{"action":0.977948,"romance":0.997187,"mean of ratios":0.987568,"ratio of means":0.987114},"HR@10":{"action":0.979079,"romance":0.996154,"mean of ratios":0.987617,"ratio of means":0.98756},"MRR":{"action":0.985578,"romance":0.995969,"mean of ratios":0.990773,"ratio of means":0.990465}},"cost":{"train":2.55,"merge":0.01,"other":0.41,"peak":502},"gaps":[]},
{"id":"b95a54","backbone":"sasrec","method":"ties","label":"ties (density=0.2)","page":"ties","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.152543,null,[0.152543]],"romance":[0.139188,null,[0.139188]],"mean":[0.145865,null,[0.145865]]},"HR@10":{"action":[0.285714,null,[0.285714]],"romance":[0.279698,null,[0.279698]],"mean":[0.282706,null,[0.282706]]},"MRR":{"action":[0.133626,null,[0.133626]],"romance":[0.11894,null,[0.11894]],"mean":[0.126283,null,[0.126283]]}},"shares":{"NDCG@10":{"action":0.990592,"romance":0.993282,"mean of ratios":0.991937,"ratio of means":0.991874},"HR@10":{"action":1.00418,"romance":0.996154,"mean of ratios":1.00017,"ratio of means":1.0002},"MRR":{"action":0.988608,"romance":0.991068,"mean of ratios":0.989838,"ratio of means":0.989765}},"cost":{"train":2.55,"merge":0.03,"other":0.67,"peak":469},"gaps":[]}
]
},
{
"track":"cdsr",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set `27f0e4161d9c95f0`"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 427, comedy 502"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.212733,null,[0.212733]],"comedy":[0.233762,null,[0.233762]],"mean":[0.223247,null,[0.223247]]},"HR@10":{"action":[0.400468,null,[0.400468]],"comedy":[0.408367,null,[0.408367]],"mean":[0.404417,null,[0.404417]]},"MRR":{"action":[0.179764,null,[0.179764]],"comedy":[0.207432,null,[0.207432]],"mean":[0.193598,null,[0.193598]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.33,"peak":475},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.305382,null,[0.305382]],"comedy":[0.315945,null,[0.315945]],"mean":[0.310663,null,[0.310663]]},"HR@10":{"action":[0.510539,null,[0.510539]],"comedy":[0.496016,null,[0.496016]],"mean":[0.503277,null,[0.503277]]},"MRR":{"action":[0.2621,null,[0.2621]],"comedy":[0.280876,null,[0.280876]],"mean":[0.271488,null,[0.271488]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.33,"peak":439},"gaps":[]},
{"id":"39f78b","backbone":"\u2013","method":"item-knn","label":"item-knn","page":"item-knn","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.322889,null,[0.322889]],"comedy":[0.320314,null,[0.320314]],"mean":[0.321601,null,[0.321601]]},"HR@10":{"action":[0.548009,null,[0.548009]],"comedy":[0.531873,null,[0.531873]],"mean":[0.539941,null,[0.539941]]},"MRR":{"action":[0.274778,null,[0.274778]],"comedy":[0.276051,null,[0.276051]],"mean":[0.275414,null,[0.275414]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.62,"merge":0,"other":0.37,"peak":552},"gaps":[]},
{"id":"819388","backbone":"\u2013","method":"sasrec-dt","label":"sasrec-dt (full softmax)","page":"sasrec-dt","recipe":"fixed","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.303379,null,[0.303379]],"comedy":[0.321442,null,[0.321442]],"mean":[0.31241,null,[0.31241]]},"HR@10":{"action":[0.510539,null,[0.510539]],"comedy":[0.545817,null,[0.545817]],"mean":[0.528178,null,[0.528178]]},"MRR":{"action":[0.261785,null,[0.261785]],"comedy":[0.271906,null,[0.271906]],"mean":[0.266846,null,[0.266846]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":1.34,"merge":0,"other":0.44,"peak":475},"gaps":[]}
]
},
{
"track":"cdsr-three",
"protocol":"mixed",
"domains":[
"action",
"comedy",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy, romance"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, full ranking (min_length=3, scope=mixed)"],
["ranked against","all items of the target's domain"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 284, comedy 338, romance 318"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.0876139,null,[0.0876139]],"comedy":[0.105241,null,[0.105241]],"romance":[0.0822913,null,[0.0822913]],"mean":[0.0917152,null,[0.0917152]]},"HR@10":{"action":[0.165493,null,[0.165493]],"comedy":[0.189349,null,[0.189349]],"romance":[0.188679,null,[0.188679]],"mean":[0.181174,null,[0.181174]]},"MRR":{"action":[0.0838843,null,[0.0838843]],"comedy":[0.0947648,null,[0.0947648]],"romance":[0.0723726,null,[0.0723726]],"mean":[0.0836739,null,[0.0836739]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.3,"peak":470},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.157944,null,[0.157944]],"comedy":[0.183395,null,[0.183395]],"romance":[0.156847,null,[0.156847]],"mean":[0.166062,null,[0.166062]]},"HR@10":{"action":[0.295775,null,[0.295775]],"comedy":[0.325444,null,[0.325444]],"romance":[0.292453,null,[0.292453]],"mean":[0.304557,null,[0.304557]]},"MRR":{"action":[0.134473,null,[0.134473]],"comedy":[0.156692,null,[0.156692]],"romance":[0.134988,null,[0.134988]],"mean":[0.142051,null,[0.142051]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.29,"peak":475},"gaps":[]},
{"id":"a3c4aa","backbone":"\u2013","method":"abxi","label":"abxi (width 32; paper recipe)","page":"abxi","recipe":"paper","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.0898937,null,[0.0898937]],"comedy":[0.10291,null,[0.10291]],"romance":[0.0873699,null,[0.0873699]],"mean":[0.0933913,null,[0.0933913]]},"HR@10":{"action":[0.193662,null,[0.193662]],"comedy":[0.192308,null,[0.192308]],"romance":[0.204403,null,[0.204403]],"mean":[0.196791,null,[0.196791]]},"MRR":{"action":[0.0794423,null,[0.0794423]],"comedy":[0.0928212,null,[0.0928212]],"romance":[0.074715,null,[0.074715]],"mean":[0.0823262,null,[0.0823262]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.92,"merge":0,"other":0.38,"peak":470},"gaps":[]},
{"id":"8c4276","backbone":"\u2013","method":"merit","label":"merit (width 32; paper recipe)","page":"merit","recipe":"paper","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.10952,null,[0.10952]],"comedy":[0.111547,null,[0.111547]],"romance":[0.0971318,null,[0.0971318]],"mean":[0.106066,null,[0.106066]]},"HR@10":{"action":[0.232394,null,[0.232394]],"comedy":[0.218935,null,[0.218935]],"romance":[0.216981,null,[0.216981]],"mean":[0.22277,null,[0.22277]]},"MRR":{"action":[0.0912996,null,[0.0912996]],"comedy":[0.0968224,null,[0.0968224]],"romance":[0.0844042,null,[0.0844042]],"mean":[0.090842,null,[0.090842]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":6.13,"merge":0,"other":0.86,"peak":513},"gaps":[]}
]
},
{
"track":"cdsr-three",
"protocol":"mixed-sampled-99",
"domains":[
"action",
"comedy",
"romance"
],
"card":[
["dataset","ml-100k"],
["domains","action, comedy, romance"],
["source of the shared base","none"],
["split","leave-one-out on the mixed sequence, 99 sampled negatives (min_length=3, scope=mixed)"],
["ranked against","99 sampled candidates, seed 2026, set `c0d05ef46a1b3f0a`"],
["history masked","no"],
["ties","mid-rank (1 + better + equal / 2)"],
["test targets","action 284, comedy 338, romance 318"],
["seeds","0"]
],
"reference":null,
"compared":[],
"across":null,
"rows":[
{"id":"ca1c7c","backbone":"\u2013","method":"popularity","label":"popularity","page":"popularity","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.211932,null,[0.211932]],"comedy":[0.247798,null,[0.247798]],"romance":[0.22788,null,[0.22788]],"mean":[0.229203,null,[0.229203]]},"HR@10":{"action":[0.387324,null,[0.387324]],"comedy":[0.423077,null,[0.423077]],"romance":[0.424528,null,[0.424528]],"mean":[0.411643,null,[0.411643]]},"MRR":{"action":[0.183831,null,[0.183831]],"comedy":[0.220149,null,[0.220149]],"romance":[0.191976,null,[0.191976]],"mean":[0.198652,null,[0.198652]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.32,"peak":439},"gaps":[]},
{"id":"895e47","backbone":"\u2013","method":"last-item","label":"last-item","page":"last-item","recipe":"fixed","seeds":[],"wanted":0,"values":{"NDCG@10":{"action":[0.315632,null,[0.315632]],"comedy":[0.34694,null,[0.34694]],"romance":[0.301348,null,[0.301348]],"mean":[0.321307,null,[0.321307]]},"HR@10":{"action":[0.528169,null,[0.528169]],"comedy":[0.526627,null,[0.526627]],"romance":[0.506289,null,[0.506289]],"mean":[0.520362,null,[0.520362]]},"MRR":{"action":[0.269665,null,[0.269665]],"comedy":[0.31015,null,[0.31015]],"romance":[0.260198,null,[0.260198]],"mean":[0.280004,null,[0.280004]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":0.01,"merge":0,"other":0.32,"peak":476},"gaps":[]},
{"id":"a3c4aa","backbone":"\u2013","method":"abxi","label":"abxi (width 32; paper recipe)","page":"abxi","recipe":"paper","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.230845,null,[0.230845]],"comedy":[0.260725,null,[0.260725]],"romance":[0.242845,null,[0.242845]],"mean":[0.244805,null,[0.244805]]},"HR@10":{"action":[0.454225,null,[0.454225]],"comedy":[0.431953,null,[0.431953]],"romance":[0.465409,null,[0.465409]],"mean":[0.450529,null,[0.450529]]},"MRR":{"action":[0.184172,null,[0.184172]],"comedy":[0.234302,null,[0.234302]],"romance":[0.197312,null,[0.197312]],"mean":[0.205262,null,[0.205262]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":2.92,"merge":0,"other":0.38,"peak":476},"gaps":[]},
{"id":"8c4276","backbone":"\u2013","method":"merit","label":"merit (width 32; paper recipe)","page":"merit","recipe":"paper","seeds":[0],"wanted":1,"values":{"NDCG@10":{"action":[0.25242,null,[0.25242]],"comedy":[0.279887,null,[0.279887]],"romance":[0.274373,null,[0.274373]],"mean":[0.268893,null,[0.268893]]},"HR@10":{"action":[0.450704,null,[0.450704]],"comedy":[0.464497,null,[0.464497]],"romance":[0.496855,null,[0.496855]],"mean":[0.470686,null,[0.470686]]},"MRR":{"action":[0.215103,null,[0.215103]],"comedy":[0.246578,null,[0.246578]],"romance":[0.230125,null,[0.230125]],"mean":[0.230602,null,[0.230602]]}},"shares":{"NDCG@10":null,"HR@10":null,"MRR":null},"cost":{"train":6.13,"merge":0,"other":1.1,"peak":439},"gaps":[]}
]
}
],
"figures":[]
});
